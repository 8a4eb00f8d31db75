"""Images on nodes: which are there already, how long a pull takes, and what registries answer."""

from opssquad.types import Json
from opssquad.worlds.kube.controllers import kinds, naming
from opssquad.worlds.kube.controllers.kubelet.timing import Timing
from opssquad.worlds.kube.controllers.meta import status_of
from opssquad.worlds.kube.controllers.plane import Plane


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
    def not_found(container: Json) -> str:
        """What containerd says of a tag that the registry does not have."""
        image = container["image"]
        return (
            f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": '
            f'failed to resolve reference "{image}": {image}: not found'
        )
