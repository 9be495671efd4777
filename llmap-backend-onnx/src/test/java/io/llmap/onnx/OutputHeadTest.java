package io.llmap.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where graphs are cut. */
class OutputHeadTest {
  @TempDir Path folder;

  /** table[ids] is "h"; "w" is a weight matrix, "b" a row of biases, "s" a number. */
  private static TestGraph graph() {
    return TestGraph.causal(TestGraph.FLOAT)
        .floats("table", List.of(3, 2), 1, 2, 3, 4, 5, 6)
        .floats("w", List.of(2, 3), 1, 2, 3, 4, 5, 6)
        .floats("wt", List.of(3, 2), 1, 2, 3, 4, 5, 6)
        .floats("b", List.of(3), 1, 2, 3)
        .floats("s", List.of(), 2)
        .node("Gather", List.of("table", "input_ids"), "h");
  }

  private Optional<String> cut(TestGraph graph) throws IOException {
    return OutputHead.find(GraphFile.map(graph.write(folder.resolve("model.onnx"))))
        .map(OutputHead::hidden);
  }

  @Test
  void aProductWithConstantWeightsIsTheHead() throws IOException {
    assertThat(cut(graph().node("MatMul", List.of("h", "w"), "logits"))).hasValue("h");
  }

  @Test
  void weightsMayBeComputedFromConstants() throws IOException {
    assertThat(
            cut(
                graph()
                    .node("Transpose", List.of("wt"), "t")
                    .node("Mul", List.of("t", "s"), "scaled")
                    .node("MatMul", List.of("h", "scaled"), "logits")))
        .hasValue("h");
  }

  @Test
  void biasScaleAndSoftCapBelongToTheHead() throws IOException {
    assertThat(
            cut(
                graph()
                    .node("MatMul", List.of("h", "w"), "product")
                    .node("Add", List.of("b", "product"), "biased")
                    .node("Div", List.of("biased", "s"), "scaled")
                    .node("Tanh", List.of("scaled"), "bent")
                    .node("Mul", List.of("bent", "s"), "capped")
                    .node("Cast", List.of("capped"), "logits", Map.of("to", 1))))
        .hasValue("h");
  }

  @Test
  void aTransposedWeightIsTakenAndTransposedStatesAreNot() throws IOException {
    List<String> inputs = List.of("h", "wt");
    assertThat(cut(graph().node("FusedMatMul", inputs, "logits", Map.of("transB", 1))))
        .hasValue("h");
    assertThat(cut(graph().node("FusedMatMul", inputs, "logits", Map.of("transA", 1)))).isEmpty();
    assertThat(cut(graph().node("FusedMatMul", inputs, "logits", Map.of("transBatchA", 1))))
        .isEmpty();
  }

  @Test
  void aFactorThatDependsOnTheTokensLeavesTheGraphWhole() throws IOException {
    assertThat(
            cut(
                graph()
                    .node("MatMul", List.of("h", "w"), "product")
                    .node("ReduceMean", List.of("product"), "mean")
                    .node("Mul", List.of("product", "mean"), "logits")))
        .isEmpty();
    assertThat(
            cut(
                graph()
                    .node("Transpose", List.of("h"), "t")
                    .node("MatMul", List.of("h", "t"), "logits")))
        .isEmpty();
  }

  @Test
  void aScaleTakenFromTheWholeBatchLeavesTheGraphWhole() throws IOException {
    assertThat(
            cut(
                graph()
                    .node("DynamicQuantizeLinear", List.of("h"), "q")
                    .node("MatMulInteger", List.of("q", "w"), "product")
                    .node("Cast", List.of("product"), "float", Map.of("to", 1))
                    .node("Mul", List.of("float", "s"), "logits")))
        .isEmpty();
  }

  @Test
  void dequantizedStatesLeaveTheGraphWhole() throws IOException {
    assertThat(
            cut(
                graph()
                    .node("QuantizeLinear", List.of("h", "s"), "q")
                    .node("DequantizeLinear", List.of("q", "s"), "d")
                    .node("MatMul", List.of("d", "w"), "logits")))
        .isEmpty();
  }

  @Test
  void operatorsThatMixLogitsOrPositionsLeaveTheGraphWhole() throws IOException {
    for (String mixing : List.of("Softmax", "CumSum", "Reshape", "Slice")) {
      assertThat(
              cut(
                  graph()
                      .node("MatMul", List.of("h", "w"), "product")
                      .node(mixing, List.of("product", "s"), "logits")))
          .as(mixing)
          .isEmpty();
    }
  }

  @Test
  void logitsStraightFromATableLeaveTheGraphWhole() throws IOException {
    assertThat(cut(graph().node("Identity", List.of("h"), "logits"))).isEmpty();
  }

  @Test
  void aValueThatOnlyABranchReadsIsNotConstant() throws IOException {
    assertThat(
            cut(
                graph()
                    .node("Transpose", List.of("h"), "t")
                    .choice("s", "t", "w", "chosen")
                    .node("MatMul", List.of("h", "chosen"), "logits")))
        .isEmpty();
  }

  @Test
  void severalOutputsNeedOneNamedLogits() throws IOException {
    TestGraph named = graph().value(12, "h", TestGraph.FLOAT, -1, -1, -1);
    assertThat(cut(named.node("MatMul", List.of("h", "w"), "logits"))).hasValue("h");
    TestGraph unnamed =
        new TestGraph()
            .value(11, "input_ids", TestGraph.INT64, -1, -1)
            .value(12, "scores", TestGraph.FLOAT, -1, -1, -1)
            .value(12, "h", TestGraph.FLOAT, -1, -1, -1)
            .floats("w", List.of(2, 3), 1, 2, 3, 4, 5, 6)
            .node("Gather", List.of("w", "input_ids"), "h")
            .node("MatMul", List.of("h", "w"), "scores");
    assertThat(cut(unnamed)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "17, -1, true, true",
    "14, -1, true, false",
    "17, 2, true, false",
    "17, -1, false, false"
  })
  void softmaxesOverTheLastDimensionGetAFloor(int opset, int axis, boolean wanted, boolean floored)
      throws IOException {
    Path whole =
        graph()
            .opset(opset)
            .node("Softmax", List.of("h"), "p", Map.of("axis", axis))
            .node("MatMul", List.of("p", "w"), "logits")
            .write(folder.resolve("whole.onnx"));
    OutputHead head = OutputHead.find(GraphFile.map(whole)).orElseThrow();
    Path body = Files.write(folder.resolve("body.onnx"), head.body(wanted));
    assertThat(GraphFile.map(body).nodes())
        .extracting(GraphNode::opType)
        .containsExactlyElementsOf(
            floored
                ? List.of("Gather", "ReduceMax", "CastLike", "Sub", "Max", "Softmax")
                : List.of("Gather", "Softmax"));
  }

  @Test
  void filesThatAreNoGraphAreAnError() throws IOException {
    Path file = folder.resolve("noise.onnx");
    for (String noise : List.of("this is not a graph", "\u000f", "\n\u0005abc", "\b")) {
      Files.writeString(file, noise);
      assertThatThrownBy(() -> GraphFile.map(file))
          .as(noise)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("not an ONNX model");
    }
    Files.write(file, new byte[] {8, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1});
    assertThatThrownBy(() -> GraphFile.map(file)).hasMessageContaining("more than 64 bits");
  }
}
