"""Every view of the page: its path, and what stands there in each of the states that it can be in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect

MISSING = "There is no such thing"


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    path: str
    full: str
    """A text that is there once all of it is."""
    empty: str = MISSING
    """What is said where there is nothing: of most, that what the path names is not there."""
    caller: str = MISSING
    """What a key that may only make calls, and has made none, reads."""
    use: Callable[[Page], None] | None = None
    """Something that is done with it, and leaves a dialog, a menu or another tab open."""
    asks: bool = True
    """Whether it shows what it has asked the gateway for; else it is there whatever the gateway says."""


def press(role: str, name: str) -> Callable[[Page], None]:
    def use(page: Page) -> None:
        page.get_by_role(role, name=re.compile(f"^{name}")).first.click()  # type: ignore[arg-type]

    return use


def promoting(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Promote version")).click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Promote")).to_be_enabled()


def making(page: Page) -> None:
    page.get_by_role("button", name="New key").first.click()
    expect(page.get_by_role("dialog").get_by_role("textbox", name="Name")).to_be_focused()


def searching(page: Page) -> None:
    page.get_by_role("combobox", name="Search runs").fill("params.model = gpt")
    expect(page.get_by_role("alert")).to_contain_text("Column 16")


def trying(page: Page) -> None:
    page.get_by_role("article", name="failing").get_by_role("button", name="Try").click()
    expect(page.get_by_role("status").filter(has_text="It fails with")).to_be_visible()


VIEWS = (
    View(path="/lab", full="Parcels", empty="No labs yet", caller="No labs yet", use=press("button", "Delete Parcels")),
    View(path="/lab/{lab}", full="4 of 4", use=press("button", "More for this lab")),
    View(path="/prompts", full="support-reply", empty="No prompts yet", caller="support-reply"),
    View(path="/prompts/{prompt}", full="The first that was good", caller="The first that was good", use=promoting),
    View(path="/runs", full="scripted", empty="No calls in this time", caller="No calls in this time", use=searching),
    View(path="/runs/{run}", full="on its way", use=press("tab", "Request")),
    View(
        path="/runs/compare?id={run}&id={other}",
        full="Side by side",
        use=press("checkbox", "Only what differs"),
    ),
    View(path="/runs/compare", full="Choose 2 to 10 runs", asks=False),
    View(path="/runs/experiments", full="fine-tuning", empty="Default", caller="Default"),
    View(path="/runs/experiments/{experiment}", full="fast", caller="fast"),
    View(
        path="/runs/experiments/{experiment}/together?run={logged}&run={trial}",
        full="Side by side",
        caller="Side by side",
    ),
    View(path="/runs/logged/{logged}", full="Parameters", caller="Parameters"),
    View(path="/runs/{failed}", full="upstream_500", use=press("tab", "Answer")),
    View(path="/evaluations", full="Capitals with notes", empty="No evaluations yet", caller="No evaluations yet"),
    View(
        path="/evaluations/{evaluation}",
        full="Make it again",
        use=press("button", "Export"),
    ),
    View(path="/evaluations/new", full="What is asked", empty="What is asked", caller="What is asked"),
    View(path="/evaluations/{evaluation}/cells", full="42 cells.", use=press("row", "Which is the capital")),
    View(path="/evaluations/{evaluation}/review", full="The answer"),
    View(
        path="/gateway/overview",
        full="Share of the cost",
        empty="No calls in this time",
        caller="No calls in this time",
        use=press("button", "From and to"),
    ),
    View(
        path="/gateway/endpoints",
        full="scripted",
        empty="No endpoints are configured",
        caller="scripted",
        use=trying,
    ),
    View(
        path="/gateway/providers",
        full="within the gateway",
        empty="within the gateway",
        caller="Providers are for administrators",
    ),
    View(path="/gateway/keys", full="viewer", empty="No keys yet", caller="Keys are for administrators", use=making),
    View(
        path="/gateway/configuration",
        full='"endpoints"',
        empty="Settings",
        caller="The configuration is for administrators",
    ),
    View(path="/gateway/nothing", full="There is no such page", asks=False),
    View(path="/nothing", full="There is no such page", asks=False),
)
