# SPDX-License-Identifier: GPL-2.0-only OR MIT
# How Sphinx builds these pages; see tools/docs/build.

import os

project = "peerbuf"
extensions = ["kerneldoc"]
kerneldoc_srctree = os.path.abspath("..")

primary_domain = "c"
highlight_language = "none"

html_theme = "alabaster"
html_static_path = ["_static"]
html_title = "peerbuf"
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
html_use_index = False
html_sidebars = {"**": ["navigation.html", "searchbox.html"]}
html_theme_options = {
    "body_max_width": "none",
    "font_family": "sans-serif",
    "page_width": "1160px",
    "sidebar_width": "200px",
}
