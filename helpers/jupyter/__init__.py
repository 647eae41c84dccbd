"""The Jupyter server extension of the tutorial; this folder is also the Jupyter configuration that the command adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.jupyter.saving import mask_outputs

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "helpers.jupyter"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    # Added to the hooks, not put in their place: a reader may have one of their own.
    server.contents_manager.register_pre_save_hook(mask_outputs)  # type: ignore[no-untyped-call]
