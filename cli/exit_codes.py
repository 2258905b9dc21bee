"""How the command line ends. 2 is a wrong use of it, which the parser tells."""

from typing import Final

REFUSED: Final = 1
"""The platform answered, and the answer is no: an invalid flow, an unknown id, a failed execution."""

UNREACHABLE: Final = 3
"""The platform did not answer."""
