"""A room: one sandbox for a workshop, with a resource of its own for every seat.

presenter                                          a learner
Room ── sandbox  HTTPS, --host, --port   ◄──────── the SDK, with the seat's own key
     ├─ door     HTTPS, the next port    ◄──────── join(): a ticket gives the connection string
     ├─ board    loopback only, the port after it   who has done what, and who is stuck; nothing secret
     └─ sheet    a file, for the printer            a card per seat, with its ticket: a secret
"""

from __future__ import annotations
