"""Every page in every look, for every hand and eye: the screenshots, and what must hold on each.

axe-core finds nothing serious, nothing that can be pressed is smaller than a fingertip, nothing
scrolls sideways, and the keyboard alone reaches everything and shows where it is.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.conftest import REPOSITORY, SHARED
from tests.e2e.album import HOLIDAY, album
from tests.e2e.conftest import PATIENCE_MS, SCREENSHOTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from tests.e2e.conftest import Server

AXE = REPOSITORY / "web" / "ui" / "node_modules" / "axe-core" / "axe.min.js"
SETTLE_MS = 500  # pictures decode, bars fill: for the eye and for the contrast of what is behind
REPAINT_MS = 200  # other colours alone: no picture is fetched for them
MOST_TABS = 400  # more than any page has stops
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "light",
        "has_touch": True,
        "is_mobile": True,
        "device_scale_factor": 2,
    },
    "narrow": {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
}
# What a person chose on one view is unknown to the next.
FORGET = "if (location.protocol === 'http:') { localStorage.clear(); sessionStorage.clear(); }"
# What can be pressed, and is there to be pressed: not behind an open dialog, not hidden.
PRESSABLE = """
  const PRESSED = 'button, a[href], input:not([type=hidden]), select, textarea, summary, ' +
    ['button', 'option', 'menuitem', 'menuitemradio', 'menuitemcheckbox', 'tab', 'switch', 'slider']
      .map((role) => `[role=${role}]`).join(', ');
  const top = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document;
  const seen = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
    !e.closest('[inert]') && !e.disabled;
  const pressable = () => [...top.querySelectorAll(PRESSED)].filter(seen);
  const nameOf = (e) => `${e.tagName.toLowerCase()} “${(e.getAttribute('aria-label') ||
    e.textContent.trim() || e.id || e.className).slice(0, 40)}”`;
"""
# 44 px, less what rounding takes. A link within a sentence may be as high as its line (WCAG 2.5.8);
# a hidden input is pressed through its label.
TOO_SMALL = f"""() => {{ {PRESSABLE}
  const inSentence = (e) => getComputedStyle(e).display === 'inline' &&
    e.parentElement.textContent.trim().length > e.textContent.trim().length;
  const least = ({{ width, height }}) => Math.min(width, height);
  const boxOf = (e) => [e, ...(e.labels ?? [])].map((part) => part.getBoundingClientRect())
    .reduce((a, b) => (least(a) > least(b) ? a : b));
  return pressable().filter((e) => !inSentence(e)).map((e) => [e, boxOf(e)])
    .filter(([, box]) => box.width > 1 && least(box) < 43.5)
    .map(([e, {{ width, height }}]) => `${{nameOf(e)}} is ${{width | 0}} x ${{height | 0}}`);
}}"""
# One step of the walk with the Tab key: where it is, and whether a person can see that.
STEP = f"""() => {{ {PRESSABLE}
  const walk = (window.walked ??= {{ order: [], unseen: [] }});
  const here = document.activeElement;
  if (!here || here === document.body) return walk.order.length ? 'end' : 'on';
  if (here === walk.order[0]) return 'end';
  if (walk.order.includes(here)) return 'on';
  walk.order.push(here);
  const marked = (e) => {{
    const style = getComputedStyle(e);
    return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) ||
      style.boxShadow !== 'none';
  }};
  const around = [here, here.parentElement, here.parentElement?.parentElement,
    ...(here.labels ?? []), ...here.children].filter(Boolean);
  if (!around.some(marked)) walk.unseen.push(nameOf(here));
  return 'on';
}}"""
# Stops that the walk did not come by. Within a grid, a menu or a list of options one Tab stop and
# the arrow keys reach all: there the others are out of the order on purpose.
UNREACHED = f"""() => {{ {PRESSABLE}
  const {{ order, unseen }} = window.walked;
  const grouped = (e) => e.type === 'radio' && order.some((o) => o.name === e.name);
  const ofWidget = ['grid', 'listbox', 'menu', 'toolbar', 'tablist', 'radiogroup', 'tree']
    .map((role) => `[role=${{role}}]`).join(', ');
  const missed = pressable().filter((e) => !order.includes(e) && !grouped(e) &&
    !(e.tabIndex < 0 && e.closest(ofWidget)));
  return missed.map((e) => `the Tab key does not reach ${{nameOf(e)}}`)
    .concat(unseen.map((name) => `nothing shows the focus on ${{name}}`));
}}"""
# What lies in a cell of a grid is content, not the cell's label: a tile's moments are buttons too.
AXE_RUN = """async (rules) => {
  const named = { id: 'label-content-name-mismatch', selector: ':not([role=gridcell])' };
  axe.configure({ rules: [named] });
  const runOnly = rules.length ? { runOnly: rules } : {};
  const { violations } = await axe.run(document, { resultTypes: ['violations'], ...runOnly });
  return violations
  .filter(({ impact }) => impact === 'serious' || impact === 'critical')
  .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
    `${id}: ${target.join(' ')}: ${failureSummary.split('\\n').slice(1, 3).join(' ')}`));
}"""

# axe-core's rules that look at colours; no other can tell the dark scheme from the light one.
OF_COLOUR = ["color-contrast", "link-in-text-block"]


@dataclass(frozen=True)
class View:
    """A page as somebody looks at it."""

    address: Callable[[Server], str]
    shown: str  # what is there once it is ready
    act: Callable[[Page], None] | None = None  # what is done before it is looked at


REAL = SHARED.is_dir()
PHOTOS = "elephants" if REAL else "lagoon"
CLIPS = "bottles of water" if REAL else "traffic lights"
CLIP = "bottle-detection.mp4" if REAL else "traffic-lights.mp4"
TILE = "[data-asset] img"


def _folder(server: Server) -> str:
    libraries = server.get("/api/v1/libraries")["libraries"]
    pictures = next(one for one in libraries if one["name"] == "Pictures")
    return f"/folders/{pictures['id']}/2024/Bergen"


def _open_info(page: Page) -> None:
    page.keyboard.press("i")


VIEWS = {
    "library": View(lambda _: "/", TILE),
    "search": View(lambda _: f"/?q={PHOTOS}", TILE),
    "videos": View(lambda _: f"/?q={quote(CLIPS)}&kind=video", TILE),
    "nothing": View(lambda _: '/?q="xyzzyplugh"', "h1"),
    "photo": View(lambda s: f"/?asset={s.asset('IMG_4211.jpg')}", "dialog img"),
    "info": View(lambda s: f"/?asset={s.asset('IMG_4211.jpg')}", "dialog img", _open_info),
    "video": View(lambda s: f"/?q={quote(CLIPS)}&asset={s.asset(CLIP)}&at=4", "dialog video"),
    "sound": View(lambda s: f"/?asset={s.asset('tuning-fork.wav')}", "dialog canvas"),
    "folders": View(lambda _: "/folders", "main h1"),
    "folder": View(_folder, TILE),
    "places": View(lambda _: "/places", "main h1"),
    "people": View(lambda _: "/people", "main [role=switch]"),
    "tags": View(lambda _: "/tags", "main table"),
    "tag": View(lambda _: f"/tags/{HOLIDAY}", "main [role=group]"),
    "duplicates": View(lambda _: "/duplicates", "main img"),
    "libraries": View(lambda _: "/libraries", "main h1"),
    "work": View(lambda _: "/work", "main h1"),
    "models": View(lambda _: "/models", "main h1"),
    "trash": View(lambda _: "/trash", "main h1"),
    "lost": View(lambda _: "/nowhere", "main h1"),
    "keys": View(lambda _: "/", "dialog[open]", lambda page: page.keyboard.press("?")),
}
WALKED = {*((name, "light") for name in VIEWS), ("library", "narrow")}  # with the Tab key
NEWCOMER = {
    "welcome": View(lambda _: "/", "main h1"),
    "first-people": View(lambda _: "/people", "main h2"),
    "first-models": View(lambda _: "/models", "main h1"),
    "first-work": View(lambda _: "/work", "main h1"),
    "first-libraries": View(lambda _: "/libraries", "main h1"),
    "first-tags": View(lambda _: "/tags", "main h1"),
    "first-duplicates": View(lambda _: "/duplicates", "main h1"),
    "first-trash": View(lambda _: "/trash", "main h1"),
}


@pytest.fixture(scope="module")
def album_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with album(tmp_path_factory.mktemp("album"), tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def pages(browser: Browser) -> Iterator[dict[str, Page]]:
    """One for each look, on which view after view is opened: a new one compiles the app anew.

    axe-core may be put into them past the content policy.
    """
    opened = {
        look: browser.new_context(
            **options, locale="en-GB", reduced_motion="reduce", bypass_csp=True
        )
        for look, options in LOOKS.items()
    }
    for context in opened.values():
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(FORGET)
    yield {look: context.new_page() for look, context in opened.items()}
    for context in opened.values():
        context.close()


@contextmanager
def looking(pages: dict[str, Page], look: str) -> Iterator[Page]:
    """The page as one look shows it; left empty, since an open one keeps a stream of news."""
    page = pages[look]
    page.emulate_media(color_scheme=LOOKS[look]["color_scheme"])
    try:
        yield page
    finally:
        page.goto("about:blank")


def show(page: Page, server: Server, view: View) -> None:
    page.goto(server.url + view.address(server))
    if view.act is None:
        expect(page.locator(view.shown).first).to_be_visible()
    else:
        expect(page.locator("main, dialog").first).to_be_visible()
        page.wait_for_timeout(SETTLE_MS)
        view.act(page)
        expect(page.locator(view.shown).first).to_be_visible()
    page.wait_for_load_state("load")
    page.wait_for_timeout(SETTLE_MS)


def faults_of(page: Page) -> list[str]:
    page.add_script_tag(path=AXE)
    return [*ill_fitting(page), *page.evaluate(AXE_RUN, [])]


def ill_fitting(page: Page) -> list[str]:
    wide_px = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    found = [f"it scrolls sideways by {wide_px} px"] if wide_px > 0 else []
    return found + list(page.evaluate(TOO_SMALL))


def faults_in_the_dark(page: Page) -> list[str]:
    """Of a page that has none by day: what depends on its colours, and what moved."""
    return [*ill_fitting(page), *page.evaluate(AXE_RUN, OF_COLOUR)]


def unreached(page: Page) -> list[str]:
    """What a person without a pointer cannot get at, or would not see to have got at."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate(STEP) == "end":
            return list(page.evaluate(UNREACHED))
    return [f"the Tab key finds no end in {MOST_TABS} stops"]


def take_screenshot(page: Page, name: str, look: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}-{look}.png")


def look_at(page: Page, name: str, look: str) -> None:
    """In one look, and by day the same page by night."""
    take_screenshot(page, name, look)
    assert faults_of(page) == []
    if look == "light":
        page.emulate_media(color_scheme="dark")
        page.wait_for_timeout(REPAINT_MS)
        take_screenshot(page, name, "dark")
        assert faults_in_the_dark(page) == []
        page.emulate_media(color_scheme="light")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", VIEWS)
def test_page(name: str, look: str, pages: dict[str, Page], album_server: Server) -> None:
    with looking(pages, look) as page:
        show(page, album_server, VIEWS[name])
        look_at(page, name, look)
        if (name, look) in WALKED:
            assert unreached(page) == []


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", NEWCOMER)
def test_page_of_a_newcomer(name: str, look: str, pages: dict[str, Page], newcomer: Server) -> None:
    with looking(pages, look) as page:
        show(page, newcomer, NEWCOMER[name])
        look_at(page, name, look)
