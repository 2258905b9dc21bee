"""
Keys that a canvas adds to what it exports and that mean nothing here.

Source: the Node and Edge types of React Flow 11 and 12.
"""

NODE_KEYS = frozenset(
    [
        "ariaLabel",
        "ariaRole",
        "className",
        "connectable",
        "data",
        "deletable",
        "domAttributes",
        "dragHandle",
        "draggable",
        "dragging",
        "expandParent",
        "extent",
        "focusable",
        "handles",
        "height",
        "hidden",
        "initialHeight",
        "initialWidth",
        "internals",
        "isParent",
        "measured",
        "origin",
        "parentId",
        "parentNode",
        "positionAbsolute",
        "resizing",
        "selectable",
        "selected",
        "sourcePosition",
        "style",
        "targetPosition",
        "width",
        "zIndex",
    ]
)

EDGE_KEYS = frozenset(
    [
        "animated",
        "ariaLabel",
        "ariaRole",
        "className",
        "data",
        "deletable",
        "domAttributes",
        "focusable",
        "hidden",
        "interactionWidth",
        "labelBgBorderRadius",
        "labelBgPadding",
        "labelBgStyle",
        "labelShowBg",
        "labelStyle",
        "markerEnd",
        "markerStart",
        "pathOptions",
        "reconnectable",
        "selectable",
        "selected",
        "sourceNode",
        "sourceX",
        "sourceY",
        "style",
        "targetNode",
        "targetX",
        "targetY",
        "type",
        "updatable",
        "zIndex",
    ]
)

FLOW_KEYS = frozenset({"viewport"})
