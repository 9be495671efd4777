package io.llmap.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.llmap.LlmapException.BackendUnavailableException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DjlSignatureTest {
  @ParameterizedTest
  @CsvSource({
    "bigram, input_ids=IDS",
    "signature-positions, input_ids=IDS attention_mask=MASK position_ids=POSITIONS",
    "signature-positions-without-mask, input_ids=IDS position_ids=POSITIONS",
    "signature-mask-first, attention_mask=MASK input_ids=IDS",
    "signature-short-names, ids=IDS mask=MASK",
    "signature-optional, input_ids=IDS attention_mask=MASK position_ids=POSITIONS",
  })
  void theInputsOfAFileAreTakenInItsOrder(String graph, String inputs) {
    assertThat(roles(TorchScriptFile.read(Fixture.graph(graph)))).isEqualTo(inputs);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // A name of its own, and the mask before it.
        "attention_mask:Tensor, x:Tensor|attention_mask=MASK x=IDS",
        // What comes behind an optional argument of no role cannot be given.
        "input_ids:Tensor, labels:Optional[Tensor]=, attention_mask:Optional[Tensor]=|input_ids=IDS",
        // A number is no position.
        "idx:Tensor, pos:int=|idx=IDS",
        // Ones would switch every token off, or are for heads.
        "input_ids:Tensor, key_padding_mask:Optional[Tensor]=|input_ids=IDS",
        "input_ids:Tensor, head_mask:Optional[Tensor]=|input_ids=IDS",
        "input_ids:Optional[Tensor]=, mask:Optional[Tensor]=|input_ids=IDS mask=MASK",
      })
  void namesAndDefaultsTellTheRoles(String arguments, String inputs) {
    assertThat(roles(file(arguments))).isEqualTo(inputs);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "input_ids:Tensor, token_type_ids:Tensor|takes \"token_type_ids\" (Tensor), and llmap gives token ids, a mask and positions alone; convert the model",
        "x:Tensor, y:Tensor|takes \"y\" (Tensor)",
        "input_ids:Tensor, mask:Tensor, attention_mask:Tensor|takes \"attention_mask\" (Tensor)",
        "input_ids:Tensor, pos:int|takes \"pos\" (int)",
        "input_ids:Tensor, past:List[Tensor]|takes \"past\" (List[Tensor])",
        "flag:bool=|takes no token ids, but flag; convert the model",
        "attention_mask:Tensor|takes no token ids, but attention_mask; convert the model",
      })
  void whatCannotBeGivenIsQuoted(String arguments, String message) {
    assertThatExceptionOfType(BackendUnavailableException.class)
        .isThrownBy(() -> DjlSignature.of(file(arguments)))
        .withMessageContaining("model.pt " + message);
  }

  @Test
  void aModelThatTakesNothingIsRefused() {
    TorchScriptFile file = new TorchScriptFile(Path.of("model.pt"), 3, List.of(), Set.of());

    assertThatExceptionOfType(BackendUnavailableException.class)
        .isThrownBy(() -> DjlSignature.of(file))
        .withMessageContaining("takes no token ids, but nothing");
  }

  @Test
  void aFileThatTakesTokenTypesIsRefused() {
    TorchScriptFile file = TorchScriptFile.read(Fixture.graph("refused-token-types"));

    assertThatExceptionOfType(BackendUnavailableException.class)
        .isThrownBy(() -> DjlSignature.of(file))
        .withMessageContaining("refused-token-types.pt takes \"token_type_ids\" (Tensor)");
  }

  private static String roles(TorchScriptFile file) {
    return DjlSignature.of(file).inputs().stream()
        .map(input -> input.name() + "=" + input.role())
        .collect(Collectors.joining(" "));
  }

  /** Of "name:type" and "name:type=" for one with a default. */
  private static TorchScriptFile file(String arguments) {
    return new TorchScriptFile(
        Path.of("model.pt"),
        3,
        Arrays.stream(arguments.split(", "))
            .map(argument -> argument.split("[:=]"))
            .map(
                parts ->
                    new TorchScriptArgument(
                        parts[0], parts[1], arguments.contains(parts[0] + ":" + parts[1] + "=")))
            .toList(),
        Set.of());
  }
}
