"""What the command line says where the API refused."""

import pytest
import typer

from cli.api import Refused
from cli.context import Njia
from cli.exit_codes import REFUSED
from cli.output import Output


def test_a_flow_that_is_not_there_leads_to_the_list_of_flows(capsys: pytest.CaptureFixture[str]) -> None:
    njia = Njia("http://127.0.0.1:9", None, Output(as_json=False), {})
    with pytest.raises(typer.Exit) as ended, njia.api():
        raise Refused(404, {"code": "WORKFLOW_NOT_FOUND", "message": "no flow 'shop'"})

    assert ended.value.exit_code == REFUSED
    assert capsys.readouterr().err.splitlines() == ["error no flow 'shop'", "`njia flows` lists them"]
