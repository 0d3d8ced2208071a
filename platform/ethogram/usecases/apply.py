"""Make what the workspace declares current: the printed steps, in one transaction, then Feast's projection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ethogram.core.plan import Step, plan
from ethogram.core.workspace import Workspace
from ethogram.errors import Refused
from ethogram.ports import Declarations


class NotApplied(Refused):
    """A working tree that is not what was applied, offered to a plain client."""

    code = "not-applied"

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = tuple(steps)
        shown = [f"  {step}" for step in steps[:5]] + ([f"  … and {len(steps) - 5} more"] if len(steps) > 5 else [])
        super().__init__("\n".join(["the working tree is not what was applied:", *shown, "next: ethogram apply"]))


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply` did."""

    steps: tuple[Step, ...]
    digest: str

    def __str__(self) -> str:
        counts = {
            action: sum(step.action == action for step in self.steps) for action in ("create", "change", "remove")
        }
        if not self.steps:
            return "nothing to do; what is declared is applied"
        return f"{counts['create']} created, {counts['change']} changed, {counts['remove']} removed"


def steps(workspace: Workspace, declarations: Declarations) -> list[Step]:
    """What `apply` would do now."""
    return plan(workspace.declared(), declarations.current())


def apply(
    workspace: Workspace,
    *,
    declarations: Declarations,
    publish: Callable[[Workspace], None],
    principal: str,
    always_publish: bool = False,
) -> Applied:
    """Store every declared thing that differs and drop what is gone, with one change each; then publish to Feast.

    Publishing comes last and is idempotent: if it fails, running `apply` again only publishes. What is published
    already is published again only with `always_publish`.
    """
    declared = {(item.kind, item.name): item for item in workspace.declared()}
    with declarations.locked():
        todo = plan(list(declared.values()), declarations.current())
        kept = [declared[step.kind, step.name] for step in todo if step.action != "remove"]
        removed = [(step.kind, step.name) for step in todo if step.action == "remove"]
        if todo:
            declarations.replace(kept, removed, by=principal)
        digest = declarations.digest()
        if always_publish or declarations.published() != digest:
            publish(workspace)
            declarations.mark_published(digest)
        return Applied(tuple(todo), digest)
