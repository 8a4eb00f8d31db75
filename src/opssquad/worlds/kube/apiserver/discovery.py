"""Discovery documents: the aggregated form that kubectl asks for, and the plain one of older clients."""

import hashlib
import json

from opssquad.types import Json
from opssquad.worlds.kube.apiserver import negotiate
from opssquad.worlds.kube.apiserver.request import Reply
from opssquad.worlds.kube.apiserver.resources import Resource, Resources, Subresource, document
from opssquad.worlds.kube.apiserver.status import no_such_resource

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def answer(resources: Resources, path: str, accept: str) -> Reply | None:
    """The document at `/api`, `/apis`, `/api/v1`, `/apis/G` or `/apis/G/V`; None if there is none."""
    parts = path.strip("/").split("/")
    core = parts[0] == "api"
    if len(parts) == 1:
        form = negotiate.discovery(accept, aggregated=True)
        if form.shape == "APIGroupDiscoveryList":
            return _tagged(_aggregated(resources, core))
        return Reply(200, _api_versions() if core else _group_list(resources))
    if len(parts) > (2 if core else 3):
        return None
    group = "" if core else parts[1]
    versions = resources.versions(group)
    if not core and len(parts) == 2:
        body = {"kind": "APIGroup", "apiVersion": "v1", **_group(group, versions)} if versions else None
    else:
        if versions and parts[-1] not in versions:
            raise no_such_resource()
        body = _resource_list(resources, group, parts[-1]) if versions else None
    if body is None:
        return None
    negotiate.discovery(accept, aggregated=False)
    return Reply(200, body)


def _tagged(body: Json) -> Reply:
    tag = hashlib.sha512(json.dumps(body, sort_keys=True).encode()).hexdigest().upper()
    headers = {"Content-Type": AGGREGATED, "ETag": f'"{tag}"', "Vary": "Accept", "Cache-Control": "public"}
    return Reply(200, body, headers)


def _aggregated(resources: Resources, core: bool) -> Json:
    groups = [group for group in resources.groups() if (group == "") is core]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [
            {
                "metadata": {"name": group} if group else {},
                "versions": [_version(resources, group, v) for v in resources.versions(group)],
            }
            for group in groups
        ],
    }


def _version(resources: Resources, group: str, version: str) -> Json:
    listed = [_entry(r) for r in resources.all if (r.group, r.version) == (group, version)]
    return {"version": version, "resources": listed, "freshness": "Current"}


def _entry(resource: Resource) -> Json:
    entry: Json = {
        "resource": resource.plural,
        "responseKind": {"group": "", "version": "", "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.subresources:
        entry["subresources"] = [
            {
                "subresource": sub.name,
                "responseKind": {"group": sub.group, "version": sub.version, "kind": sub.kind},
                "verbs": list(sub.verbs),
            }
            for sub in resource.subresources.values()
        ]
    return entry


def _api_versions() -> Json:
    # Clients use the address they came by; the list must only not be missing.
    address = {"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [address]}


def _group_list(resources: Resources) -> Json:
    groups = [_group(group, resources.versions(group)) for group in resources.groups() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def _group(group: str, versions: list[str]) -> Json:
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[0] if listed else None}


def _resource_list(resources: Resources, group: str, version: str) -> Json:
    group_version = f"{group}/{version}" if group else version
    hashes = document()["storageVersionHashes"].get(group_version, {})
    listed: list[Json] = []
    for resource in resources.all:
        if (resource.group, resource.version) == (group, version):
            entry = _plain_entry(resource)
            if resource.plural in hashes:
                entry["storageVersionHash"] = hashes[resource.plural]
            listed += [entry, *(_plain_sub(resource, sub) for sub in resource.subresources.values())]
    head: Json = {"kind": "APIResourceList"}
    if group:
        head["apiVersion"] = "v1"
    return {**head, "groupVersion": group_version, "resources": listed}


def _plain_entry(resource: Resource) -> Json:
    entry: Json = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    return entry


def _plain_sub(resource: Resource, sub: Subresource) -> Json:
    entry: Json = {
        "name": f"{resource.plural}/{sub.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
    }
    if sub.group:
        entry["group"] = sub.group
    if sub.version:
        entry["version"] = sub.version
    return {**entry, "kind": sub.kind, "verbs": list(sub.verbs)}
