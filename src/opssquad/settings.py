"""The one reader of the environment: where state lives, who acts, which model and kubeconfig are meant.

Values only. What stands behind them (a store, an endpoint, a cluster) is opened elsewhere.
"""

import getpass
import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, SecretStr

from opssquad.errors import UsageError
from opssquad.types import Value

OFFLINE = "offline"
"""The model that needs no endpoint: the default."""


class Settings(Value):
    """What the environment says. `state` need not exist yet; `kubeconfig` is None where the default file or
    the pod's service account applies; `model` is a name at the endpoint, or `offline`."""

    state: Path
    by: str
    model: str = OFFLINE
    base_url: str = ""
    api_key: SecretStr = SecretStr("")
    kubeconfig: Path | None = Field(default=None)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read OPSSQUAD_STATE, OPSSQUAD_MODEL, OPSSQUAD_USER, OPENAI_API_KEY, OPENAI_BASE_URL, KUBECONFIG.

    Raises UsageError for a base URL that is none.
    """
    env = os.environ if environ is None else environ
    base_url = env.get("OPENAI_BASE_URL", "").strip()
    if base_url and not base_url.startswith(("http://", "https://")):
        raise UsageError(f"OPENAI_BASE_URL is {base_url!r}; it must begin with http:// or https://")
    return Settings(
        state=_state(env),
        by=env.get("OPSSQUAD_USER", "").strip() or _login(),
        model=env.get("OPSSQUAD_MODEL", "").strip() or OFFLINE,
        base_url=base_url,
        api_key=SecretStr(env.get("OPENAI_API_KEY", "").strip()),
        kubeconfig=_kubeconfig(env.get("KUBECONFIG", "")),
    )


def _state(env: Mapping[str, str]) -> Path:
    if own := env.get("OPSSQUAD_STATE", "").strip():
        return Path(own).expanduser().absolute()
    # The XDG rule: a relative path there is invalid and ignored.
    base = Path(env.get("XDG_STATE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".local" / "state") / "opssquad"


def _kubeconfig(value: str) -> Path | None:
    """The first file of the list that exists, else the first one named, so that its absence can be told."""
    paths = [Path(part).expanduser() for part in value.split(os.pathsep) if part.strip()]
    return next((p for p in paths if p.is_file()), paths[0] if paths else None)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no entry for the uid: a container with an arbitrary user
        return f"uid {os.getuid()}"
