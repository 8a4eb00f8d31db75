"""The handle that runs kubectl lines which only read, on the cluster that the other tools see.

What a line is says the gate's classifier, which is passed in; nothing else is ever run. Cluster, login,
namespace, home and environment are ours: a private folder for one call, a kubeconfig with the one context and
no login plug-in, no PATH. Values of Secrets are held back by the classifier, which lets no such line pass.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from opssquad import settings
from opssquad.errors import Refused, ToolError
from opssquad.toolbox import Handle
from opssquad.types import Json, KubectlChange, KubectlLine, KubectlRead
from opssquad.worlds.kube.access import Access
from opssquad.worlds.kube.cluster import Cluster
from opssquad.worlds.kube.login import SKEW, credentials
from opssquad.worlds.kube.process import Ended, run

DEADLINE = 20.0
CAP = 1024 * 1024
CONTEXT = "the-one"


@dataclass(frozen=True)
class Printed:
    """What kubectl printed. `ahead` is how far the cluster's clock is ahead of this machine's, by which
    kubectl computes some ages; `cut` says that there was more than is taken."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str
    cut: bool
    ahead: timedelta


class Kubectl(Handle):
    """The `kubectl` of this machine on one cluster. `program` is "" where there is none."""

    def __init__(
        self,
        cluster: Cluster,
        access: Access,
        classify: Callable[[str], KubectlLine],
        program: str,
        deadline: float,
        cap: int,
    ) -> None:
        self._cluster = cluster
        self._access = access
        self._classify = classify
        self._program = program
        self._deadline = deadline
        self._cap = cap
        self._user: tuple[Json, datetime | None] | None = None

    @classmethod
    def beside(
        cls,
        cluster: Cluster,
        classify: Callable[[str], KubectlLine],
        *,
        program: str | None = None,
        deadline: float = DEADLINE,
        cap: int = CAP,
    ) -> Self:
        """The kubectl that sees what the cluster handle sees, with the same login. `program` is the one to
        run ("" for none), by default the first on the PATH."""
        found = shutil.which("kubectl") or "" if program is None else program
        return cls(cluster, cluster._http.access, classify, found, deadline, cap)

    async def read(self, line: str) -> Printed:
        """Run a line that only reads. Raises Refused with the reason for any other line; ToolError where
        kubectl is missing, takes too long, or cannot log in."""
        asked = self._classify(line)
        if isinstance(asked, KubectlChange):
            raise Refused(f"{asked.reason}: call {asked.tool} with {json.dumps(asked.args)}")
        if not isinstance(asked, KubectlRead):
            raise Refused(f"not run: {asked.reason}")
        if not self._program:
            raise ToolError("kubectl is not on the PATH of this machine; the other tools do without it")
        with TemporaryDirectory(prefix="opssquad-kubectl-") as home:
            ended = await self._run(asked, Path(home))
        ahead = self._cluster.now() - datetime.now(UTC)
        return Printed(asked.words, ended.code, ended.out, ended.err, ended.cut, ahead)

    async def _run(self, asked: KubectlRead, home: Path) -> Ended:
        kubeconfig = home / "kubeconfig"
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(json.dumps(await self._kubeconfig()), encoding="utf-8")
        namespace = asked.namespace or self._access.namespace
        argv = [
            self._program,
            *asked.words,
            f"--kubeconfig={kubeconfig}",
            f"--context={self._access.name}",
            f"--cache-dir={home / 'cache'}",
            f"--request-timeout={self._deadline:g}s",
            *([f"--namespace={namespace}"] if namespace else []),
        ]
        nothing = home / "bin"
        nothing.mkdir()
        env = {**settings.proxies(), "HOME": str(home), "PATH": str(nothing), "TZ": "UTC", "LC_ALL": "C"}
        env |= {"KUBECONFIG": str(kubeconfig), "KUBECTL_KUBERC": "false"}
        try:
            return await run(argv, env=env, folder=home, deadline=self._deadline, cap=self._cap)
        except TimeoutError as error:
            raise ToolError(
                f"kubectl did not finish within {self._deadline:g} s and was stopped; ask for less"
            ) from error
        except OSError as error:
            raise ToolError(f"{self._program} cannot be run: {error.strerror}") from error

    async def _kubeconfig(self) -> Json:
        """The one context that there is, its user without a plug-in."""
        name = self._access.name
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": CONTEXT, "cluster": self._access.cluster}],
            "users": [{"name": CONTEXT, "user": await self._credentials()}],
            "contexts": [{"name": name, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
        }

    async def _credentials(self) -> Json:
        """The login, a plug-in's answer kept until a minute before it expires."""
        now = datetime.now(UTC)
        if self._user is None or (self._user[1] and now + SKEW >= self._user[1]):
            self._user = await credentials(self._access)
        return self._user[0]
