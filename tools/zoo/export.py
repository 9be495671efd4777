"""Writes a trained model as ONNX with float16 weights, and its two quantised forms.

The weights are rounded through float16 first and everything is derived from the rounded ones, so PyTorch and ONNX
hold the same numbers; a Cast after each stored weight keeps all arithmetic in float32.
"""
import warnings

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import AutoModelForCausalLM

OPSET = 18
# Small vectors are left alone: a Cast costs as many bytes as it saves.
SMALLEST = 64


def rounded(work, name):
    """The trained network with weights that are exactly representable in float16."""
    network = AutoModelForCausalLM.from_pretrained(work / "models" / name, attn_implementation="eager")
    network.eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.half().float())
    return network


class Logits(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, input_ids, attention_mask):
        return self.network(input_ids=input_ids, attention_mask=attention_mask, use_cache=False).logits


def to_onnx(network, path):
    """Constant folding is off: it would store the tied embedding a second time, transposed."""
    ids = torch.randint(3, 200, (2, 7))
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    axes = {0: "batch", 1: "sequence"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(Logits(network), (ids, mask), str(path), dynamo=False, opset_version=OPSET,
                          input_names=["input_ids", "attention_mask"], output_names=["logits"],
                          dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": axes},
                          do_constant_folding=False)
    return slim(onnx.load(str(path)))


def slim(model):
    """One copy of equal initialisers, short names, no documentation strings."""
    graph = model.graph
    kept, alias = {}, {}
    for tensor in list(graph.initializer):
        key = (tensor.data_type, tuple(tensor.dims), numpy_helper.to_array(tensor).tobytes())
        if key in kept:
            alias[tensor.name] = kept[key]
            graph.initializer.remove(tensor)
        else:
            kept[key] = tensor.name
    # Exported constants repeat a few scalars and lists hundreds of times; node order is kept, so the first serves all.
    constants = {}
    for node in list(graph.node):
        for i, name in enumerate(node.input):
            node.input[i] = alias.get(name, name)
        if node.op_type in ("Constant", "Identity") and node.output[0] not in {o.name for o in graph.output}:
            if node.op_type == "Identity":
                alias[node.output[0]] = node.input[0]
                graph.node.remove(node)
                continue
            key = node.attribute[0].SerializeToString()
            if key in constants:
                alias[node.output[0]] = constants[key]
                graph.node.remove(node)
            else:
                constants[key] = node.output[0]
    common_subexpressions(graph)
    fixed = {v.name for v in list(graph.input) + list(graph.output)}
    short = {name: name for name in fixed}
    for tensor in graph.initializer:
        # Weights keep a readable name; constants get a number.
        name = tensor.name.removeprefix("network.")
        short[tensor.name] = name if "::" not in name and "/" not in name else f"c{len(short)}"
        tensor.name = short[tensor.name]
    for node in graph.node:
        node.name = ""
        node.doc_string = ""
        for i, name in enumerate(node.input):
            node.input[i] = short[name] if name else ""
        for i, name in enumerate(node.output):
            if name:
                node.output[i] = short.setdefault(name, f"v{len(short)}")
    del graph.value_info[:]
    graph.name = "causal-lm"
    graph.doc_string = model.doc_string = ""
    del model.metadata_props[:]
    return model


def common_subexpressions(graph):
    """The exporter repeats shape arithmetic in every layer; equal nodes with equal inputs are merged."""
    outputs = {o.name for o in graph.output}
    seen, alias = {}, {}
    for node in list(graph.node):
        for i, name in enumerate(node.input):
            node.input[i] = alias.get(name, name)
        if len(node.output) != 1 or node.output[0] in outputs:
            continue
        key = (node.op_type, tuple(node.input), b"".join(sorted(a.SerializeToString() for a in node.attribute)))
        if key in seen:
            alias[node.output[0]] = seen[key]
            graph.node.remove(node)
        else:
            seen[key] = node.output[0]


def halve(model):
    """Float32 initialisers that float16 holds exactly become float16 with a Cast to float32 behind them."""
    graph = model.graph
    casts = []
    for index, tensor in enumerate(list(graph.initializer)):
        if tensor.data_type != TensorProto.FLOAT:
            continue
        value = numpy_helper.to_array(tensor)
        if value.size < SMALLEST or not np.array_equal(value.astype(np.float16).astype(np.float32), value):
            continue
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(value.astype(np.float16), tensor.name + ".half"))
        casts.append(helper.make_node("Cast", [tensor.name + ".half"], [tensor.name], to=TensorProto.FLOAT))
    prepend(graph, casts)
    return model


def prepend(graph, nodes):
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes + rest)


def channel_axis(name, model):
    """The output channel: a linear layer's rows, a GPT-2 Conv1D's columns, a table's rows."""
    uses = [(n.op_type, i) for n in model.graph.node for i, x in enumerate(n.input) if x == name]
    return 1 if any(op in ("MatMul", "Gemm") and i == 1 for op, i in uses) else 0


def quantise_array(value, axis):
    """Symmetric int8 with one scale per channel."""
    largest = np.abs(value).max(axis=1 - axis)
    scale = (np.maximum(largest, 1e-8) / 127).astype(np.float32)
    shaped = np.expand_dims(scale, 1 - axis)
    return np.clip(np.rint(value / shaped), -127, 127).astype(np.int8), scale


def weight_only_int8(model):
    """Every weight matrix and table becomes int8 times a scale: results do not depend on the batch.

    Written as Cast and Mul rather than DequantizeLinear, because newer versions of onnxruntime fuse the latter with a
    following MatMul into a kernel that rounds the activations too, which older versions do not.
    """
    graph = model.graph
    nodes = []
    for tensor in list(graph.initializer):
        value = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or value.ndim != 2 or value.size < 1024:
            continue
        axis = channel_axis(tensor.name, model)
        numbers, scale = quantise_array(value, axis)
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(numbers, tensor.name + ".int8"))
        scale = np.expand_dims(scale, 1 - axis)
        graph.initializer.append(numpy_helper.from_array(scale, tensor.name + ".scale"))
        nodes.append(helper.make_node("Cast", [tensor.name + ".int8"], [tensor.name + ".float"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [tensor.name + ".float", tensor.name + ".scale"], [tensor.name]))
    prepend(graph, nodes)
    return model


def dynamic_int8(model, folder):
    """onnxruntime's dynamic quantisation of the layers: activations are quantised too, with one scale per batch."""
    before, after = folder / "before.onnx", folder / "after.onnx"
    onnx.save(model, str(before))
    quantize_dynamic(str(before), str(after), op_types_to_quantize=["MatMul"], per_channel=True,
                     weight_type=QuantType.QInt8, extra_options={"MatMulConstBOnly": True})
    result = onnx.load(str(after))
    before.unlink()
    after.unlink()
    result.doc_string = result.graph.doc_string = ""
    del result.metadata_props[:]
    del result.graph.value_info[:]
    return result
