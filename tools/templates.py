"""Another image or environment variable for a workload, each with its card, its undo and its check."""

import re
from typing import Annotated

from opssquad import Cluster, Json, Preview, Ref, Result, ToolError, Undo, tool

from ._back import back
from ._change import (
    Card,
    Kind,
    address,
    check,
    container_of,
    container_patch,
    done,
    line,
    observe,
    preview,
    rolls,
    standing,
    target,
)
from ._fields import secret_name

Variable = Annotated[str, "NAME=VALUE, or NAME- to remove it"]


@tool(effect="mutate")
async def set_image(
    cluster: Cluster, name: str, namespace: str, image: str, container: str = "", kind: Kind = "Deployment"
) -> Result:
    """Give a container of a workload another image."""
    where = address(cluster, kind, name, namespace)
    workload = await cluster.get(where.kind, where.name, where.namespace)
    key, each = container_of(workload, container)
    body = container_patch(key, each["name"], {"image": image})
    after = await cluster.patch(where.kind, where.name, where.namespace, body, how="strategic")
    command = line(where, "set", "image", target(where), f"{each['name']}={image}")
    return done(
        after, where, f"{name} container {each['name']}: image {each.get('image')} -> {image}", command
    )


@set_image.preview
async def _image_preview(
    cluster: Cluster, name: str, namespace: str, image: str, container: str, kind: str
) -> Preview:
    where = address(cluster, kind, name, namespace)
    state = await standing(cluster, where)
    key, each = container_of(state.workload, container)
    if each.get("image") == image:
        raise ToolError(f"container {each['name']} has image {image} already: nothing to do")
    body = container_patch(key, each["name"], {"image": image})
    after = await cluster.patch(where.kind, where.name, where.namespace, body, how="strategic", dry_run=True)
    command = line(where, "set", "image", target(where), f"{each['name']}={image}")
    words = f"{rolls(state)}; whether the registry has {image} is not checked"
    return preview(
        state, after, Card(command, words, "medium", "a new image has not run here as far as is known")
    )


@set_image.undo
async def _image_undo(cluster: Cluster, name: str, namespace: str, container: str, kind: str) -> Undo:
    where = address(cluster, kind, name, namespace)
    state = await standing(cluster, where)
    _, each = container_of(state.workload, container)
    args: Json = {
        "name": name,
        "namespace": where.namespace,
        "image": each.get("image", ""),
        "kind": where.kind,
    }
    args["container"] = each["name"]
    command = line(where, "set", "image", target(where), f"{each['name']}={each.get('image')}")
    return Undo(note=f"set the image {each.get('image')} again", tool="set_image", args=args, command=command)


set_image.observe(observe)
set_image.verify(check)


# set_env


@tool(effect="mutate")
async def set_env(
    cluster: Cluster, name: str, namespace: str, env: Variable, container: str = "", kind: Kind = "Deployment"
) -> Result:
    """Set or remove an environment variable of a container."""
    where = address(cluster, kind, name, namespace)
    workload = await cluster.get(where.kind, where.name, where.namespace)
    key, each = container_of(workload, container)
    body = _env_patch(key, each, env)
    after = await cluster.patch(where.kind, where.name, where.namespace, body, how="strategic")
    return done(after, where, f"{name} container {each['name']}: {env}", _env_line(where, each, env))


def _env_line(where: Ref, container: Json, env: str) -> str:
    return line(where, "set", "env", target(where), "-c", container["name"], env)


def _env_patch(key: str, container: Json, env: str) -> Json:
    found = re.fullmatch(r"([A-Za-z_][\w.-]*?)(?:=(.*)|(-))", env, re.DOTALL)
    if found is None:
        raise ToolError(f"{env!r} is neither NAME=VALUE nor NAME- (to remove it)")
    variable, value, remove = found.groups()
    present = {each["name"]: each for each in container.get("env") or ()}
    if remove:
        if variable not in present:
            raise ToolError(f"container {container['name']} has no variable {variable}; nothing to remove")
        return container_patch(key, container["name"], {"env": [{"name": variable, "$patch": "delete"}]})
    if secret_name(variable):
        raise ToolError(
            f"{variable} looks like a secret, and a value given here would be on record: put it into a Secret"
        )
    entry: Json = {"name": variable, "value": value}
    if "valueFrom" in present.get(variable, {}):
        entry["valueFrom"] = None
    return container_patch(key, container["name"], {"env": [entry]})


@set_env.preview
async def _env_preview(
    cluster: Cluster, name: str, namespace: str, env: str, container: str, kind: str
) -> Preview:
    where = address(cluster, kind, name, namespace)
    state = await standing(cluster, where)
    key, each = container_of(state.workload, container)
    body = _env_patch(key, each, env)
    after = await cluster.patch(where.kind, where.name, where.namespace, body, how="strategic", dry_run=True)
    card = Card(_env_line(where, each, env), rolls(state), "medium", "a new setting starts in every pod")
    return preview(state, after, card)


@set_env.undo
async def _env_undo(cluster: Cluster, name: str, namespace: str, kind: str) -> Undo:
    where = address(cluster, kind, name, namespace)
    return await back(cluster, where, await standing(cluster, where))


set_env.observe(observe)
set_env.verify(check)
