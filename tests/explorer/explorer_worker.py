"""Reads node data with Model Explorer's own package, beside the model it is about; prints JSON.

    python worker.py MODEL NODES.json

Run by test_explorer.py with another Python, which has ai-edge-model-explorer and nothing of ours.
"""

import json
import sys
from pathlib import Path

import model_explorer
from model_explorer.builtin_tflite_flatbuffer_adapter import BuiltinTfliteFlatbufferAdapter
from model_explorer.node_data_builder import GraphNodeData, ModelNodeData, NodeDataResult
from model_explorer.utils import convert_adapter_response

model, nodes = sys.argv[1:]
given = json.loads(Path(nodes).read_text(encoding="utf-8"))

# its own types: an unknown or a missing field is a TypeError
loaded = ModelNodeData(
    graphsData={
        graph: GraphNodeData(
            **{**data, "results": {k: NodeDataResult(**v) for k, v in data["results"].items()}}
        )
        for graph, data in given.items()
    }
)

# what its server hands to the page for this file
config = model_explorer.config()
config.add_model_from_path(model).add_node_data_from_path(nodes)
config.add_node_data("tflrepair", loaded)

# the graphs that its reader of .tflite makes, whose ids the node data must use
answer = convert_adapter_response(BuiltinTfliteFlatbufferAdapter().convert(model, {}))
graphs = {
    graph["id"]: {node["id"]: node["label"] for node in graph["nodes"]}
    for collection in answer["graphCollections"]
    for graph in collection["graphs"]
}
print(
    json.dumps(
        {
            "written again": json.loads(config.get_node_data(0).to_json_string()),
            "sources": config.node_data_sources,
            "graphs": graphs,
        }
    )
)
