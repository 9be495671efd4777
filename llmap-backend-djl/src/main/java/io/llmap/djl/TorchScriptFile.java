package io.llmap.djl;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.internal.GitLfs;
import io.llmap.internal.ModelFormat;
import io.llmap.internal.OneLine;
import io.llmap.tokenizers.HuggingFaceFolder;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * What a TorchScript file says of itself, read without an engine: one that cannot serve is refused
 * before the engine, which would end the JVM over some, sees it.
 *
 * <p>Such a file is a zip archive. {@code data.pkl} is the module: it names the module's class,
 * then holds its tensors, as {@code constants.pkl} holds those of the code; {@code code/} has the
 * class in a subset of Python.
 *
 * @param path the file
 * @param formatVersion as in the archive; a libtorch reads up to one of its own
 * @param arguments of the method {@code forward}, in order
 * @param elementTypes of all tensors, as PyTorch names its storages: {@code Float}, {@code Half}
 */
record TorchScriptFile(
    Path path, int formatVersion, List<TorchScriptArgument> arguments, Set<String> elementTypes) {
  /** What to do about a model in another format. */
  static final String CONVERT =
      "convert the model: python tools/convert/torchscript.py MODEL_FOLDER OUT_FOLDER";

  /** Pickles and code are lists of names; a larger one is not a model's. */
  private static final int LARGEST_RECORD = 256 << 20;

  /** Records of a {@code .pt2}, of PyTorch 2.8 and before it. */
  private static final List<String> EXPORTED_PROGRAM =
      List.of("archive_format", "serialized_exported_program.json");

  /** A pickle in protocol 2, and its first class: module and name. */
  private static final Pattern FIRST_CLASS =
      Pattern.compile("^\\x80\\x02c([\\w.]{1,4096})\\n(\\w{1,4096})\\n");

  private static final Pattern STORAGE = Pattern.compile("ctorch\\n(\\w{1,64})Storage\\n");

  TorchScriptFile {
    arguments = List.copyOf(arguments);
    elementTypes = Set.copyOf(elementTypes);
  }

  /** Whether a tensor is in bfloat16. */
  boolean bfloat16() {
    return elementTypes.contains("BFloat16");
  }

  /**
   * Reads what the file says; the cost does not depend on the weights.
   *
   * @throws BackendUnavailableException if it is something else, or damaged; one line that says
   *     what it is and what to do
   */
  static TorchScriptFile read(Path path) {
    try {
      if (Files.size(path) == 0) {
        throw new BackendUnavailableException(path + " is empty; get the file again");
      }
      Optional<String> pointer = GitLfs.pointer(path);
      if (pointer.isPresent()) {
        throw new BackendUnavailableException(pointer.get());
      }
      Optional<ModelFormat> format = ModelFormat.of(path);
      if (format.isEmpty()) {
        throw new BackendUnavailableException(
            "%s is not TorchScript, which is a zip archive; %s".formatted(path, CONVERT));
      }
      if (format.get() != ModelFormat.PYTORCH_ZIP) {
        throw refused(path, format.get());
      }
    } catch (IOException e) {
      throw HuggingFaceFolder.unreadable(path, e);
    }
    try (ZipFile zip = new ZipFile(path.toFile())) {
      return read(path, zip);
    } catch (FileSystemException | FileNotFoundException e) {
      throw HuggingFaceFolder.unreadable(path, e);
    } catch (IOException | IllegalArgumentException e) {
      throw damaged(path, e);
    }
  }

  private static TorchScriptFile read(Path path, ZipFile zip) throws IOException {
    // As libtorch finds it: the folder of the first record.
    String first = zip.stream().map(ZipEntry::getName).findFirst().orElse("");
    String root = first.substring(0, first.indexOf('/') + 1);
    if (zip.getEntry(root + "data.pkl") == null) {
      throw refused(
          path,
          EXPORTED_PROGRAM.stream().anyMatch(name -> zip.getEntry(root + name) != null)
              ? "a program of torch.export"
              : "another zip archive",
          CONVERT);
    }
    String data = record(zip, root + "data.pkl", StandardCharsets.ISO_8859_1);
    Matcher module = FIRST_CLASS.matcher(data);
    boolean named = module.find();
    if (zip.getEntry(root + "constants.pkl") == null) {
      throw refused(
          path,
          named && !module.group(1).equals("collections")
              ? "a %s.%s that torch.save pickled, without its code"
                  .formatted(module.group(1), module.group(2))
              : "the weights that torch.save wrote, without the model's code",
          CONVERT);
    }
    if (!named) {
      throw new IOException("data.pkl names no class");
    }
    String constants = record(zip, root + "constants.pkl", StandardCharsets.ISO_8859_1);
    String file = "code/" + module.group(1).replace('.', '/') + ".py";
    String code = record(zip, root + file, StandardCharsets.UTF_8);
    return new TorchScriptFile(
        path,
        version(zip, root),
        TorchScriptArgument.ofForward(code, module.group(2)),
        Stream.of(data, constants)
            .flatMap(pickle -> STORAGE.matcher(pickle).results())
            .map(storage -> storage.group(1))
            .collect(Collectors.toSet()));
  }

  private static int version(ZipFile zip, String root) throws IOException {
    String hidden = root + ".data/version";
    String name = zip.getEntry(hidden) == null ? root + "version" : hidden;
    String version = record(zip, name, StandardCharsets.UTF_8).strip();
    try {
      return Integer.parseInt(version);
    } catch (NumberFormatException e) {
      throw new IOException("its version is no number", e);
    }
  }

  private static String record(ZipFile zip, String name, Charset charset) throws IOException {
    ZipEntry entry = zip.getEntry(name);
    if (entry == null) {
      throw new IOException("there is no " + OneLine.of(name) + " in it");
    }
    try (InputStream in = zip.getInputStream(entry)) {
      byte[] bytes = in.readNBytes(LARGEST_RECORD + 1);
      if (bytes.length > LARGEST_RECORD) {
        throw new IOException(OneLine.of(name) + " is too large");
      }
      return new String(bytes, charset);
    }
  }

  private static BackendUnavailableException refused(Path path, ModelFormat format) {
    return switch (format) {
      case PICKLE ->
          refused(path, "PyTorch's older format, weights without the model's code", CONVERT);
      case HTML -> refused(path, format.toString(), "get the file itself");
      default -> refused(path, format.toString(), CONVERT);
    };
  }

  private static BackendUnavailableException refused(Path path, String what, String remedy) {
    return new BackendUnavailableException(
        "%s is not TorchScript but %s; %s".formatted(path, what, remedy));
  }

  private static BackendUnavailableException damaged(Path path, Exception e) {
    return new BackendUnavailableException(
        "%s is cut or damaged: %s; get the file again, or convert the model again"
            .formatted(path, OneLine.of(e)),
        e);
  }
}
