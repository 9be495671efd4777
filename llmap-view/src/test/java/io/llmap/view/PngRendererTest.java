package io.llmap.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PngRendererTest {
  @TempDir Path folder;

  @Test
  void pictureHasEveryColourOfThePalette() throws IOException {
    String[] names = new String[Palette.MARKS + 1];
    Map<String, String> groups = new LinkedHashMap<>();
    for (int i = 0; i < names.length; i++) {
      names[i] = "m" + i;
      if (i < Palette.MARKS) {
        groups.put(names[i], "g" + i);
      }
    }
    Set<Integer> colors = colors(png(Maps.named(names).withGroups(groups), 1));
    assertThat(colors).containsAll(Palette.GROUPS).contains(Palette.OTHER);
  }

  @Test
  void marksAreWhereTheLayoutHasThem() throws IOException {
    MapView view = Maps.clustered(40, 8, 1, 4);
    BufferedImage image = png(view, 2);
    MapLayout layout = MapComposer.compose(view);
    assertThat(image.getWidth()).isEqualTo((int) (2 * layout.page().width()));
    assertThat(image.getHeight()).isEqualTo((int) (2 * layout.page().height()));
    // The last mark lies on top of every other.
    Mark last = layout.marks().get(39);
    int rgb = image.getRGB((int) (2 * last.x()), (int) (2 * last.y())) & 0xFFFFFF;
    assertThat(rgb).isEqualTo(last.rgb());
    for (MapLayout.Label label : layout.labels()) {
      Box box = label.box();
      assertThat(
              colors(
                  image.getSubimage(
                      (int) (2 * box.x()),
                      (int) (2 * box.y()),
                      (int) (2 * box.width()),
                      (int) (2 * box.height()))))
          .as(label.text().text())
          .hasSizeGreaterThan(5);
    }
  }

  @Test
  void hollowMarksAreWhiteInside() throws IOException {
    MapView view = Maps.named("a", "b").withHollow("int8", List.of("b"));
    Mark b = MapComposer.compose(view).marks().get(1);
    assertThat(png(view, 1).getRGB((int) b.x(), (int) b.y()) & 0xFFFFFF).isEqualTo(Palette.PAGE);
  }

  @Test
  void textOutsideTheFontIsDrawn() throws IOException {
    MapView view = Maps.named("模型", "🦙", "\u0301", "العربية", " ");
    assertThat(png(view, 1).getWidth()).isPositive();
  }

  @Test
  void defaultScaleIsTwo() throws IOException {
    MapView view = Maps.named("a", "b");
    view.writePng(folder.resolve("default.png"));
    view.writePng(folder.resolve("two.png"), 2);
    assertThat(folder.resolve("default.png")).hasSameBinaryContentAs(folder.resolve("two.png"));
  }

  @Test
  void sameBytesTwiceAndNoMetadata() throws IOException {
    MapView view = Maps.clustered(30, 3, 0.1, 6);
    byte[] first = PngRenderer.render(MapComposer.compose(view), 1.5);
    assertThat(PngRenderer.render(MapComposer.compose(view), 1.5)).isEqualTo(first);
    assertThat(chunks(first)).containsOnly("IHDR", "IDAT", "IEND");
  }

  @Test
  void scaleWithoutAPictureIsRefused() {
    MapView view = Maps.named("a");
    for (double scale : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY, 1e3, 1e-9}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> view.writePng(folder.resolve("x.png"), scale))
          .withMessageContaining("scale " + scale);
    }
    assertThat(folder).isEmptyDirectory();
  }

  private BufferedImage png(MapView view, double scale) throws IOException {
    Path file = folder.resolve("map.png");
    view.writePng(file, scale);
    return ImageIO.read(file.toFile());
  }

  private static Set<Integer> colors(BufferedImage image) {
    Set<Integer> colors = new HashSet<>();
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        colors.add(image.getRGB(x, y) & 0xFFFFFF);
      }
    }
    return colors;
  }

  private static List<String> chunks(byte[] png) {
    List<String> names = new ArrayList<>();
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(png))) {
      in.skipNBytes(8);
      while (in.available() > 0) {
        int length = in.readInt();
        names.add(new String(in.readNBytes(4), StandardCharsets.US_ASCII));
        in.skipNBytes(length + 4L);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return names;
  }
}
