"""Images on nodes: which are there already, how long a pull takes, and what registries answer."""

from string import Template

from opssquad.types import Json
from opssquad.worlds.kube.controllers import kinds, naming
from opssquad.worlds.kube.controllers.kubelet.timing import Timing
from opssquad.worlds.kube.controllers.meta import status_of
from opssquad.worlds.kube.controllers.plane import Plane
from opssquad.worlds.kube.recording.fates import Pull

LEAD = (
    'rpc error: code = $code desc = failed to pull and unpack image "$image": '
    'failed to resolve reference "$image": '
)
ANSWERS = {
    "not_found": "$image: not found",
    "unauthorized": "unexpected status from HEAD request to https://$host/v2/$path/manifests/$tag: "
    "401 Unauthorized",
    "denied": "pull access denied, repository does not exist or may require authorization: "
    "server message: insufficient_scope: authorization failed",
    "lookup": 'failed to do request: Head "https://$host/v2/$path/manifests/$tag": '
    "dial tcp: lookup $host on 127.0.0.53:53: no such host",
    "throttled": "unexpected status from HEAD request to https://$host/v2/$path/manifests/$tag: "
    "429 Too Many Requests",
    "timeout": 'failed to do request: Head "https://$host/v2/$path/manifests/$tag": '
    "dial tcp 10.7.0.20:443: i/o timeout",
}
"""What follows the lead by what went wrong, as containerd 2 says it."""


class Images:
    """What is known of images: from the nodes, from pods, and from the templates of earlier revisions."""

    def __init__(self, plane: Plane, timing: Timing) -> None:
        self._plane = plane
        self._timing = timing
        self._ids = {
            status["image"]: status["imageID"]
            for pod in plane.all(kinds.PODS)
            for status in status_of(pod).get("containerStatuses") or ()
            if status.get("imageID")
        }
        templates = [rs["spec"]["template"]["spec"] for rs in plane.all(kinds.REPLICA_SETS)]
        self._seen = {c["image"] for spec in templates for c in spec["containers"]} | set(self._ids)

    def present(self, pod: Json, container: Json) -> bool:
        """Whether the image need not be pulled: it has run before, and the policy allows to keep it."""
        if self._timing.always_pulls or container.get("imagePullPolicy") == "Always":
            return False
        return container["image"] in self._seen

    def pull_time(self, pod: Json, container: Json) -> float:
        """Seconds that a pull takes: about the usual, the same each time for one pod."""
        share = int(naming.digest(pod["metadata"]["uid"], container["image"])[:4], 16) / 0xFFFF
        return round(self._timing.pull * (0.75 + share / 2), 3)

    def pulled(self, container: Json, present: bool, seconds: float) -> str:
        """What the kubelet says of an image that is there now."""
        image = container["image"]
        if present:
            return f'Container image "{image}" already present on machine and can be accessed by the pod'
        self._seen.add(image)
        took = f"{seconds:g}s" if seconds >= 1 else f"{round(seconds * 1000)}ms"
        size = int(naming.digest("size", image)[:7], 16) % 90_000_000 + 5_000_000
        spent = f"{took} ({took} including waiting)"
        return f'Successfully pulled image "{image}" in {spent}. Image size: {size} bytes.'

    def id_of(self, image: str) -> str:
        """The image by digest: as recorded, or one that stays the same."""
        return self._ids.get(image) or naming.image_id(image)

    @staticmethod
    def error(container: Json, pull: Pull) -> str:
        """What containerd says when the registry does not give the image."""
        image = container["image"]
        host, _, path = naming.repository(image).partition("/")
        form = pull.says or LEAD + ANSWERS[pull.answer]
        code = "NotFound" if pull.answer == "not_found" and not pull.says else "Unknown"
        values = {"image": image, "host": host, "path": path, "tag": naming.tag(image), "code": code}
        return Template(form).safe_substitute(values)
