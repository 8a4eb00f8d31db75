"""Conditions of what makes pods, and of what scales and keeps them."""

from tests.tools.recorded import objects
from tests.tools.signals.network import running
from tests.tools.signals.objects import deployment, event, obj
from tests.tools.signals.peers.row import (
    DAEMON,
    FULL,
    PDB,
    PULLS,
    RUNS,
    SCHEDULE,
    UTILIZED,
    WEB,
    Row,
    hpa,
    not_in_time,
    recorded,
    said,
    set_up,
)

ROWS = [
    Row("Deployment", "fewer ready than wanted", (deployment(2, 1),), "workload.unavailable"),
    Row(
        "Deployment",
        "Progressing is False",
        (deployment(2, 1, conditions=[said("Progressing", "False", "ProgressDeadlineExceeded")]),),
        "rollout.stuck",
    ),
    Row(
        "ReplicaSet",
        "no pod can be created",
        (
            deployment(2, 0),
            maker := obj(
                "ReplicaSet",
                "web-h1",
                {"replicas": 2},
                {
                    "replicas": 0,
                    "conditions": [
                        said("ReplicaFailure", "True", "FailedCreate", "exceeded quota: q, requested: pods=1")
                    ],
                },
                ownerReferences=[{"kind": "Deployment", "name": "web", "controller": True}],
            ),
            event(
                maker,
                "FailedCreate",
                "Error creating: pods is forbidden: exceeded quota: q, requested: pods=1",
            ),
        ),
        "replicaset.create_failed",
    ),
    Row(
        "StatefulSet",
        "its Service is missing",
        (set_up("web", serviceName="web-peers"),),
        "statefulset.service_missing",
    ),
    Row(
        "StatefulSet",
        "a class of its claims is missing",
        (
            set_up(
                "web",
                volumeClaimTemplates=[{"metadata": {"name": "data"}, "spec": {"storageClassName": "fast"}}],
            ),
        ),
        "statefulset.class_missing",
    ),
    Row("StatefulSet", "fewer available than wanted", (set_up("web"),), "workload.unavailable"),
    Row("DaemonSet", "fewer ready than scheduled", (DAEMON,), "workload.unavailable"),
    Row("DaemonSet", "a pull Secret is missing", (PULLS,), "config.pull_secret_missing"),
    Row("Job", "suspended", (obj("Job", "load", {"suspend": True}),), "job.suspended"),
    Row(
        "Job",
        "failed",
        (
            recorded(
                "shop-0412",
                "Job",
                next(o["metadata"]["name"] for o in objects("shop-0412") if o["kind"] == "Job"),
                not_in_time,
            ),
        ),
        "job.failed",
    ),
    Row(
        "CronJob",
        "suspended",
        (obj("CronJob", "load", {**SCHEDULE, "suspend": True}, RUNS),),
        "cronjob.suspended",
    ),
    Row(
        "CronJob",
        "a schedule that cannot be read",
        (obj("CronJob", "load", {**SCHEDULE, "schedule": "*/5 * * *"}, RUNS),),
        "cronjob.missed",
    ),
    Row(
        "CronJob",
        "a starting deadline below zero",
        (obj("CronJob", "load", {**SCHEDULE, "startingDeadlineSeconds": -1}, RUNS),),
        "cronjob.short_deadline",
    ),
    Row(
        "HorizontalPodAutoscaler",
        "limited",
        (WEB, running(WEB), hpa(said("ScalingLimited", "True", "ScaleUpLimit", "too fast"))),
        "hpa.limited",
    ),
    Row(
        "HorizontalPodAutoscaler",
        "at its maximum",
        (WEB, running(WEB), hpa(said("ScalingLimited", "True", "TooManyReplicas"), current=5)),
        "hpa.at_max",
    ),
    Row(
        "HorizontalPodAutoscaler",
        "at its minimum",
        (WEB, running(WEB), hpa(said("ScalingLimited", "True", "TooFewReplicas"))),
        silent="with no load there is nothing to scale",
    ),
    Row(
        "HorizontalPodAutoscaler",
        "a condition is False",
        (WEB, running(WEB), hpa(said("ScalingActive", "False", "FailedGetResourceMetric"))),
        "hpa.inactive",
    ),
    Row("HorizontalPodAutoscaler", "its target is missing", (hpa(target="wob"),), "hpa.inactive"),
    Row(
        "HorizontalPodAutoscaler",
        "containers without requests",
        (WEB, running(WEB), hpa(metrics=UTILIZED)),
        "hpa.inactive",
    ),
    Row(
        "PodDisruptionBudget",
        "no disruption is allowed",
        (WEB, running(WEB), obj("PodDisruptionBudget", "web", PDB, FULL)),
        "pdb.blocks",
    ),
    Row(
        "PodDisruptionBudget",
        "no disruption is allowed, for there are no pods",
        (
            WEB,
            running(WEB),
            obj(
                "PodDisruptionBudget",
                "web",
                {"selector": {"matchLabels": {"app": "wob"}}},
                {"expectedPods": 0, "disruptionsAllowed": 0},
            ),
        ),
        "pdb.selects_nothing",
    ),
]
