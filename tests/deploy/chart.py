"""What the chart of JupyterHub documents for the values that are set here, and for no others.

The chart's own schema travels with the chart, and ``helm template`` compares every value with it; there is no chart where
these tests run. So this says for each key that ``deploy/`` uses what the configuration reference of chart 4 says: where it
stands and what kind of value it takes. Any key that is not here is refused, which finds a slip of the pen; whether the chart
has changed since is for Helm to say.
"""

from __future__ import annotations

from typing import Any

VERSION = "4.4.0"

Schema = dict[str, Any]

BOOLEAN: Schema = {"type": "boolean"}
INTEGER: Schema = {"type": "integer"}
TEXT: Schema = {"type": "string", "minLength": 1}
# KubeSpawner's own units: powers of 1024.
BYTES: Schema = {"type": ["integer", "string"], "pattern": r"^\d+(\.\d+)?[KMGT]$"}


def section(**properties: Schema) -> Schema:
    """Return the schema of a mapping that takes these keys and no others."""
    return {"type": "object", "additionalProperties": False, "properties": properties}


EGRESS_RULE = section(
    to={
        "type": "array",
        "items": section(ipBlock=section(cidr={"type": "string", "pattern": r"^[\d.]+/\d+$"})),
    },
    ports={
        "type": "array",
        "items": section(protocol={"enum": ["TCP", "UDP"]}, port=INTEGER),
    },
)

VALUES = section(
    hub=section(
        # Any class and trait of JupyterHub; the names of classes, at least, are written like one.
        config={
            "type": "object",
            "propertyNames": {"pattern": "^[A-Z][A-Za-z]+$"},
            "additionalProperties": {"type": "object"},
        }
    ),
    proxy=section(
        https=section(
            enabled=BOOLEAN,
            hosts={"type": "array", "items": TEXT},
            letsencrypt=section(contactEmail=TEXT),
        )
    ),
    singleuser=section(
        image=section(name=TEXT, tag=TEXT) | {"required": ["name", "tag"]},
        defaultUrl=TEXT,
        memory=section(guarantee=BYTES, limit=BYTES),
        cpu=section(guarantee={"type": "number"}, limit={"type": "number"}),
        storage=section(type={"enum": ["dynamic", "static", "none"]}),
        networkPolicy=section(
            enabled=BOOLEAN,
            egress={"type": "array", "items": EGRESS_RULE},
            egressAllowRules=section(
                cloudMetadataServer=BOOLEAN,
                dnsPortsCloudMetadataServer=BOOLEAN,
                dnsPortsKubeSystemNamespace=BOOLEAN,
                dnsPortsPrivateIPs=BOOLEAN,
                nonPrivateIPs=BOOLEAN,
                privateIPs=BOOLEAN,
            ),
        ),
        extraEnv={"type": "object", "additionalProperties": {"type": "string"}},
        extraFiles={
            "type": "object",
            "additionalProperties": section(
                mountPath={"type": "string", "pattern": "^/"}, data={"type": "object"}
            ),
        },
    ),
    cull=section(enabled=BOOLEAN, timeout=INTEGER, every=INTEGER),
    prePuller=section(hook=section(enabled=BOOLEAN), continuous=section(enabled=BOOLEAN)),
    scheduling=section(
        podPriority=section(enabled=BOOLEAN),
        userPlaceholder=section(enabled=BOOLEAN, replicas=INTEGER),
    ),
)
