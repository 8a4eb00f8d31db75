"""A folder of one's own, apart from whatever this machine has."""

from tests.extensions.conftest import own as own
