"""The one reader of the environment: where state lives, who acts, which model and kubeconfig are meant.

Values only. What stands behind them (a store, an endpoint, a cluster) is opened elsewhere.
"""

import getpass
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from opssquad.errors import UsageError
from opssquad.types import Value

OFFLINE = "offline"
"""The model that needs no endpoint: the default."""
APPROVAL_MINUTES = 10.0
"""How long a card waits for its answer, unless OPSSQUAD_APPROVAL_MINUTES says otherwise."""

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


class Settings(Value):
    """What the environment says. `state` need not exist yet; `kubeconfigs` are files to merge, first wins;
    `in_cluster` is `host:port` of the API server where we run in a pod, else ""; `model` is a name at the
    endpoint, or `offline`; `approval_minutes` is how long a card waits for its answer;
    `dsn` is the database that is meant where none is named;
    `redaction` is the organisation's file of what is a secret besides, `policy` its policy, `faults` its
    folder of faults, a file for each squad, `runbooks` its folder of runbooks, a folder for each squad; None
    where there is none; `own` is where tools and squads of one's own are, there or not; `policy_place` is
    where its policy would usually be; `read_only`: no conversation may change anything."""

    state: Path
    by: str
    model: str = OFFLINE
    base_url: str = ""
    api_key: SecretStr = SecretStr("")
    dsn: SecretStr = SecretStr("")
    kubeconfigs: tuple[Path, ...] = ()
    in_cluster: str = ""
    approval_minutes: float = APPROVAL_MINUTES
    redaction: Path | None = None
    policy: Path | None = None
    policy_place: Path | None = None
    faults: Path | None = None
    runbooks: Path | None = None
    own: Path = Path("opssquad")
    read_only: bool = False


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read OPSSQUAD_STATE, OPSSQUAD_MODEL, OPSSQUAD_USER, OPSSQUAD_APPROVAL_MINUTES, OPENAI_API_KEY,
    OPENAI_BASE_URL, OPSSQUAD_REDACTION, OPSSQUAD_POLICY, OPSSQUAD_FAULTS, OPSSQUAD_RUNBOOKS, OPSSQUAD_OWN,
    OPSSQUAD_READ_ONLY, OPSSQUAD_DSN, KUBECONFIG, KUBERNETES_SERVICE_HOST and _PORT.

    Raises UsageError for a base URL or a key that is none, for minutes that are none, for a switch that is
    neither on nor off, and for what is no text.
    """
    env = os.environ if environ is None else environ
    _all_text({name: value for name, value in env.items() if name.startswith(("OPSSQUAD_", "OPENAI_"))})
    return Settings(
        state=_state(env),
        by=env.get("OPSSQUAD_USER", "").strip() or _login(),
        model=env.get("OPSSQUAD_MODEL", "").strip() or OFFLINE,
        base_url=_base_url(env.get("OPENAI_BASE_URL", "").strip()),
        api_key=_api_key(env.get("OPENAI_API_KEY", "").strip()),
        dsn=SecretStr(env.get("OPSSQUAD_DSN", "").strip()),
        kubeconfigs=_kubeconfigs(env.get("KUBECONFIG", "")),
        in_cluster=_in_cluster(
            env.get("KUBERNETES_SERVICE_HOST", ""), env.get("KUBERNETES_SERVICE_PORT", "")
        ),
        redaction=_own(env, "OPSSQUAD_REDACTION", "redaction.yaml"),
        policy=_own(env, "OPSSQUAD_POLICY", "policy.yaml"),
        policy_place=_usual(env, "policy.yaml"),
        faults=_own(env, "OPSSQUAD_FAULTS", "faults"),
        runbooks=_own(env, "OPSSQUAD_RUNBOOKS", "runbooks"),
        own=_own(env, "OPSSQUAD_OWN", "") or _usual(env, ""),
        approval_minutes=_minutes(env.get("OPSSQUAD_APPROVAL_MINUTES", "").strip()),
        read_only=_switch("OPSSQUAD_READ_ONLY", env.get("OPSSQUAD_READ_ONLY", "").strip()),
    )


def need_endpoint(settings: Settings) -> None:
    """Raises UsageError where no endpoint of models is meant."""
    if not settings.base_url and not settings.api_key.get_secret_value():
        raise UsageError("no model endpoint: set OPENAI_API_KEY, or OPENAI_BASE_URL for your own server")


def _all_text(given: Mapping[str, str]) -> None:
    """Refuse bytes that are no UTF-8: they could be neither kept nor shown. Raises UsageError."""
    for name, value in given.items():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise UsageError(f"{name} is not UTF-8 text; write it in UTF-8") from None


def strict_checkpoints() -> None:
    """Have the graph engine restore only types that its state names; call it before importing the engine."""
    os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"


def variable(name: str) -> str:
    """A variable that a file of the operator's names, as the place of a secret; empty where it is not set."""
    return os.environ.get(name, "")


def inherited() -> dict[str, str]:
    """A copy of the environment, for a login helper that the operator's kubeconfig names."""
    return dict(os.environ)


def proxies() -> dict[str, str]:
    """How this machine reaches others, for a program that gets nothing else of the environment."""
    return proxies_of(os.environ)


def proxies_of(environ: Mapping[str, str]) -> dict[str, str]:
    """The same of an environment that is given."""
    return {name: value for name, value in environ.items() if name.upper() in PROXIES}


def _state(env: Mapping[str, str]) -> Path:
    if own := env.get("OPSSQUAD_STATE", "").strip():
        return Path(own).expanduser().absolute()
    # The XDG rule: a relative path there is invalid and ignored.
    base = Path(env.get("XDG_STATE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".local" / "state") / "opssquad"


def _own(env: Mapping[str, str], variable: str, name: str) -> Path | None:
    """The organisation's file or folder: the one named, there or not (absence is told later); else the
    usual one."""
    if named := env.get(variable, "").strip():
        return Path(named).expanduser().absolute()
    return found(_usual(env, name))


def _usual(env: Mapping[str, str], name: str) -> Path:
    base = Path(env.get("XDG_CONFIG_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".config") / "opssquad" / name


def found(path: Path) -> Path | None:
    """A file that counts if it is there; None where it surely is not."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        # Whether it is there cannot be seen: whoever reads it says why.
        return path
    return path


def _kubeconfigs(value: str) -> tuple[Path, ...]:
    """Every file named, there or not, so that absence can be told; the usual file if none is named."""
    named = tuple(Path(part).expanduser() for part in value.split(os.pathsep) if part.strip())
    usual = Path.home() / ".kube" / "config"
    return named or ((usual,) if usual.is_file() else ())


def _base_url(value: str) -> str:
    """An address of http or https, or none. Raises UsageError."""
    if value and not value.startswith(("http://", "https://")):
        raise UsageError(f"OPENAI_BASE_URL is {value!r}; it must begin with http:// or https://")
    try:
        urlsplit(value)
    except ValueError as error:
        raise UsageError(f"OPENAI_BASE_URL is no address: {error}") from None
    return value


def _api_key(value: str) -> SecretStr:
    """A key as it can stand in a header. Raises UsageError, which does not show it."""
    if not value.isascii() or not value.isprintable():
        raise UsageError("OPENAI_API_KEY holds what no key holds: only printable ASCII; copy it again")
    return SecretStr(value)


def _minutes(value: str) -> float:
    """Minutes above zero, at most a day. Raises UsageError."""
    try:
        minutes = float(value) if value else APPROVAL_MINUTES
    except ValueError:
        minutes = 0.0
    if not 0 < minutes <= 1440:
        raise UsageError(f"OPSSQUAD_APPROVAL_MINUTES is {value!r}; give minutes, above 0 and up to 1440")
    return minutes


def _switch(variable: str, value: str) -> bool:
    """1 or 0; empty is 0. Raises UsageError: what was meant to hold people back is not guessed."""
    if value not in ("", "0", "1"):
        raise UsageError(f"{variable} is {value!r}; give 1 or 0")
    return value == "1"


def _in_cluster(host: str, port: str) -> str:
    if not host or not port:
        return ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no entry for the uid: a container with an arbitrary user
        return f"uid {os.getuid()}"
