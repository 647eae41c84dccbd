"""JupyterLab in a codespace: its page comes from the address of the forwarded port, which JupyterLab itself does not know.

Elsewhere this changes nothing.
"""

import os
import re

c = get_config()  # noqa: F821, Jupyter provides it

if "CODESPACE_NAME" in os.environ:
    codespace = re.escape(os.environ["CODESPACE_NAME"])
    domain = re.escape(os.environ["GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN"])
    c.ServerApp.allow_origin_pat = rf"https://{codespace}-\d+\.{domain}$"
