"""Draw the icons of the installed site from `icon.svg`: `python -m tests.icons`. They are committed; run it after a change of the SVG."""

from pathlib import Path

from tests.browser import chromium

STATIC = Path(__file__).parents[1] / "oncall_site" / "static" / "oncall_site"
SIZES = (192, 512)


def main():
    # Square and full-bleed, so that a system may cut its own shape out of it: the line is inside the safe zone of maskable icons.
    svg = (STATIC / "icon.svg").read_text().replace('rx="8" ', "")
    with chromium() as browser:
        for size in SIZES:
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(f"<style>html,body{{margin:0}}svg{{display:block;width:{size}px}}</style>{svg}")
            page.screenshot(path=STATIC / f"icon-{size}.png")


if __name__ == "__main__":
    main()
