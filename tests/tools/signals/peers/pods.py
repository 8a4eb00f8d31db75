"""Conditions of pods and their containers."""

from tests.tools.signals.objects import ago, container, event, pod
from tests.tools.signals.peers.row import Row, ended, said, stuck, waits

ROWS = [
    Row(
        "Pod",
        "unschedulable",
        (
            pod(
                phase="Pending",
                conditions=[
                    said(
                        "PodScheduled",
                        "False",
                        "Unschedulable",
                        "0/3 nodes are available: 3 Insufficient cpu.",
                    )
                ],
            ),
        ),
        "pod.unschedulable",
    ),
    Row(
        "Pod",
        "scheduling gated",
        (pod(phase="Pending", conditions=[said("PodScheduled", "False", "SchedulingGated")]),),
        "pod.gated",
    ),
    Row(
        "Pod",
        "evicted",
        (pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory."),),
        "pod.evicted",
    ),
    Row(
        "Pod",
        "crash loop with its last end",
        (
            pod(
                containerStatuses=[
                    container(
                        restarts=4, state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=ended(1)
                    )
                ]
            ),
        ),
        "container.crash_loop",
    ),
    *(
        Row("Pod", f"waiting: {reason}", waits(reason, "told"), "container.image_pull")
        for reason in (
            "ImagePullBackOff",
            "ErrImagePull",
            "ErrImageNeverPull",
            "InvalidImageName",
            "ImageInspectError",
        )
    ),
    *(
        Row("Pod", f"waiting: {reason}", waits(reason, "told"), "container.start_error")
        for reason in ("CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError")
    ),
    Row(
        "Pod",
        "waiting: CreateContainerConfigError",
        waits("CreateContainerConfigError", 'configmap "settings" not found'),
        "container.config_error",
    ),
    Row(
        "Pod",
        "an init container that waits",
        waits("ErrImagePull", "told", init=True),
        "container.image_pull",
    ),
    Row("Pod", "in creation: FailedCreatePodSandBox", stuck("FailedCreatePodSandBox"), "pod.not_ready"),
    Row("Pod", "in creation: FailedMount", stuck("FailedMount"), "pod.not_ready"),
    Row(
        "Pod",
        "ended with an error",
        (pod(containerStatuses=[container(state=ended(3))]),),
        "container.exited",
    ),
    Row(
        "Pod",
        "running and not ready, by its probe",
        (
            unready := pod(containerStatuses=[container(state={"running": {"startedAt": ago(20)}})]),
            event(unready, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
        ),
        "probe.readiness_failed",
    ),
    Row(
        "Pod",
        "completed",
        (pod(phase="Succeeded", containerStatuses=[container(state=ended(0, "Completed"))]),),
        silent="it has done its work",
    ),
]
