"""What every write does with an object: the type of its kind, canonical form, field ownership, reply.

`create`, `update` and `delete` put these together.
"""

from dataclasses import dataclass

from opssquad.times import rfc3339
from opssquad.types import Json
from opssquad.worlds.kube.apiserver import forms
from opssquad.worlds.kube.apiserver.admit.defaults import with_defaults
from opssquad.worlds.kube.apiserver.admit.facts import facts
from opssquad.worlds.kube.apiserver.bodies import Expected, warning_header
from opssquad.worlds.kube.apiserver.fields.ownership import Writer
from opssquad.worlds.kube.apiserver.options import WriteOptions
from opssquad.worlds.kube.apiserver.request import Reply, Request
from opssquad.worlds.kube.apiserver.resources import Resource
from opssquad.worlds.kube.apiserver.store import Store
from opssquad.worlds.kube.apiserver.typed.read import empty, read
from opssquad.worlds.kube.apiserver.typed.schema import Type, schema


@dataclass(frozen=True)
class Writing:
    """One write under way: where, what was asked, and how."""

    store: Store
    request: Request
    options: WriteOptions

    @property
    def resource(self) -> Resource:
        """The resource that is written."""
        return self.request.resource

    @property
    def kind(self) -> Type | None:
        """The type of its objects; None for custom resources."""
        return schema().kind(self.resource.api_version, self.resource.kind)

    @property
    def expected(self) -> Expected:
        """What a body must be."""
        return Expected(self.resource.api_version, self.resource.kind, self.kind)

    @property
    def namespace(self) -> str:
        """The namespace, '' for cluster-scoped resources."""
        return self.request.namespace if self.resource.namespaced else ""

    @property
    def now(self) -> str:
        """The instant of the write, as the API writes it."""
        return rfc3339(self.store.now())

    def writer(self, subresource: str = "") -> Writer:
        """Who writes, for field ownership."""
        reset = "spec" if subresource == "status" else "status"
        ignored = ((("f", reset),),) if self.resource.qualified in facts().status or not self.kind else ()
        return Writer(self.options.manager, self.resource.api_version, subresource, self.now, ignored)

    def found(self) -> Json | None:
        """The object that the request names, in the form of the request's version."""
        stored = self.store.get(self.resource.key, self.namespace, self.request.name)
        return self.canonical(forms.shown(stored, self.resource)) if stored else None

    def blank(self) -> Json:
        """What an object prints when nothing is set: what ownership of a new one is compared with."""
        return empty(self.kind) if self.kind else {}

    def canonical(self, obj: Json) -> Json:
        """In canonical form: fields in order, empty ones left out."""
        return read(self.kind, obj)[0] if self.kind else obj

    def defaulted(self, obj: Json) -> Json:
        """With defaults, in canonical form."""
        return self.canonical(with_defaults(self.canonical(obj), self.kind)) if self.kind else obj

    def stored(self, obj: Json) -> Json:
        """In the form that the store keeps."""
        kept = forms.stored(obj, self.resource)
        kind = schema().kind(kept["apiVersion"], kept["kind"])
        return read(kind, kept)[0] if kind and kept is not obj else kept

    def keep(self, obj: Json) -> Json:
        """Store an object, unless this is a dry run; the object as it is then, in the request's form."""
        if self.options.dry_run:
            return obj
        kept = self.store.put(self.resource.key, self.stored(obj))
        return self.canonical(forms.shown(kept, self.resource))


def reply(status: int, obj: Json, warnings: list[str] | None = None) -> Reply:
    """The answer that holds an object, kind and apiVersion first."""
    body = {"kind": obj["kind"], "apiVersion": obj["apiVersion"], **obj}
    return Reply(status, body, warning_header(warnings or ()))
