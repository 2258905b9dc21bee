"""The manifests are valid by the schemas of Kubernetes, and fit the services and each other."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from services.__main__ import CANCEL_WITHIN_SECONDS, DRAIN_WITHIN_SECONDS, GRPC_LISTENS, TARGETS

FOLDER = Path(__file__).parent.parent.parent / "deploy/kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
MANIFESTS: list[dict[str, Any]] = [
    manifest for name in KUSTOMIZATION["resources"] for manifest in yaml.safe_load_all((FOLDER / name).read_text())
]
KUBERNETES = "1.30"
PAUSE_BEFORE_STOP_SECONDS = 5


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    """The manifests of a kind, by name."""
    return {each["metadata"]["name"]: each for each in MANIFESTS if each["kind"] == kind}


SERVICES = {name.replace("_", "-"): name for name in TARGETS}
DEPLOYMENTS = of_kind("Deployment")


def container(name: str) -> dict[str, Any]:
    """The one container of a deployment."""
    (only,) = DEPLOYMENTS[name]["spec"]["template"]["spec"]["containers"]
    return dict(only)


def test_every_file_is_part_of_the_set() -> None:
    assert {path.name for path in FOLDER.glob("*.yaml")} == {*KUSTOMIZATION["resources"], "kustomization.yaml"}


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_a_manifest_is_valid(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_a_manifest_with_an_unknown_field_is_not_valid() -> None:
    broken = {**DEPLOYMENTS["engine"], "spec": {**DEPLOYMENTS["engine"]["spec"], "replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, KUBERNETES, strict=True)


def test_every_service_has_a_deployment_a_budget_and_a_scaler() -> None:
    assert set(DEPLOYMENTS) == set(SERVICES) == set(of_kind("PodDisruptionBudget"))
    assert {
        name: scaler["spec"]["scaleTargetRef"]["name"] for name, scaler in of_kind("HorizontalPodAutoscaler").items()
    } == {name: name for name in SERVICES}
    for name, service in SERVICES.items():
        assert container(name)["args"] == [service]


def test_the_scaler_alone_says_how_many_pods_there_are_and_a_budget_leaves_it_room() -> None:
    for name in SERVICES:
        least = of_kind("HorizontalPodAutoscaler")[name]["spec"]["minReplicas"]
        assert "replicas" not in DEPLOYMENTS[name]["spec"]
        assert of_kind("PodDisruptionBudget")[name]["spec"]["minAvailable"] < least


@pytest.mark.parametrize("name", SERVICES)
def test_a_pod_may_do_little_and_says_how_it_is(name: str) -> None:
    pod, only = DEPLOYMENTS[name]["spec"]["template"]["spec"], container(name)

    assert pod["securityContext"]["runAsNonRoot"]
    assert only["securityContext"]["readOnlyRootFilesystem"]
    assert not only["securityContext"]["allowPrivilegeEscalation"]
    assert {"readinessProbe", "livenessProbe", "startupProbe"} <= set(only)
    assert {"cpu", "memory"} == set(only["resources"]["requests"])
    # No probe that restarts a process asks for the store.
    assert "grpc" not in only["livenessProbe"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_pod_has_the_time_that_its_process_takes_to_drain(name: str) -> None:
    pod = DEPLOYMENTS[name]["spec"]["template"]["spec"]

    assert container(name)["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", str(PAUSE_BEFORE_STOP_SECONDS)]
    needed = PAUSE_BEFORE_STOP_SECONDS + DRAIN_WITHIN_SECONDS + CANCEL_WITHIN_SECONDS
    assert pod["terminationGracePeriodSeconds"] > needed


def test_the_store_refuses_writes_before_it_is_killed_for_its_memory() -> None:
    (valkey,) = of_kind("StatefulSet")["valkey"]["spec"]["template"]["spec"]["containers"]
    megabytes = int(valkey["args"][valkey["args"].index("--maxmemory") + 1].removesuffix("mb"))
    assert valkey["resources"]["limits"]["memory"] == "2Gi"
    assert megabytes <= 0.7 * 2048


def test_targets_name_services_that_show_every_pod() -> None:
    config = of_kind("ConfigMap")["njia"]["data"]
    for name in GRPC_LISTENS:
        host, port = re.fullmatch(r"dns:///([a-z-]+):(\d+)", config[f"NJIA_{name}_TARGET"]).groups()  # type: ignore[union-attr]
        service = of_kind("Service")[host]
        assert service["spec"]["clusterIP"] == "None"
        assert [each["port"] for each in service["spec"]["ports"]] == [int(port)]
        assert {"name": "grpc", "containerPort": int(port)} in container(host)["ports"]
        assert {"name": f"NJIA_{name}_LISTEN", "value": f"0.0.0.0:{port}"} in container(host)["env"]


def test_services_select_the_pods_that_there_are() -> None:
    pods = {name: each["spec"]["template"]["metadata"]["labels"] for name, each in DEPLOYMENTS.items()}
    pods |= {name: each["spec"]["template"]["metadata"]["labels"] for name, each in of_kind("StatefulSet").items()}
    for service in of_kind("Service").values():
        assert service["spec"]["selector"] in pods.values()


def test_only_the_adapter_has_the_account_and_only_it_is_called_from_outside() -> None:
    for name in SERVICES:
        has_account = any(each["name"] == "AT_API_KEY" for each in container(name)["env"])
        assert has_account is (name == "at-adapter")
    assert not any("NJIA_INSECURE" in str(manifest) for manifest in MANIFESTS)
