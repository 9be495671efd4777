package io.llmap.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llmap.view.MapView.Link;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class SvgRendererTest {

  @Test
  void oneMarkPerModelWithItsNameAndGroupAsTooltip() throws Exception {
    MapView view =
        Maps.named("gpt2", "gpt2-int8", "llama")
            .withGroups(Map.of("gpt2", "GPT-2", "gpt2-int8", "GPT-2"))
            .withHollow("quantised", List.of("gpt2-int8"));
    assertThat(tooltips(parse(view.toSvg())))
        .containsExactly("gpt2 · GPT-2", "gpt2-int8 · GPT-2 · quantised", "llama");
  }

  @Test
  void namesWithMarkupQuotesEmojiAndControlCharactersSurvive() throws Exception {
    String[] names = {
      "<b>&amp;</b>",
      "a\"b'c",
      "🦙 llama",
      "模型",
      "tab\tline\u2028end",
      "half \uD83E pair",
      "]]>",
      "\uFFFE"
    };
    List<String> tooltips = tooltips(parse(Maps.named(names).toSvg()));
    assertThat(tooltips)
        .containsExactly(
            "<b>&amp;</b>",
            "a\"b'c",
            "🦙 llama",
            "模型",
            "tab line end",
            "half \uFFFD pair",
            "]]>",
            "\uFFFD");
  }

  @Test
  void longNameIsElidedInTheLabelAndWholeInTheTooltip() throws Exception {
    String name = "organisation/" + "very-long-".repeat(12) + "name-int8";
    Document svg = parse(Maps.named(name, "x").toSvg());
    assertThat(tooltips(svg)).contains(name);
    String label = elements(svg, "text", "label").get(0).getTextContent();
    assertThat(label).startsWith("organisation/").contains("…").endsWith("name-int8");
  }

  @Test
  void everyLabelHoldsItsWidthWithAnyFont() throws Exception {
    for (Element label : elements(parse(Maps.clustered(30, 4, 0.2, 1).toSvg()), "text", "label")) {
      double size = Double.parseDouble(label.getAttribute("font-size"));
      assertThat(Double.parseDouble(label.getAttribute("textLength")))
          .isCloseTo(Typeface.REGULAR.width(label.getTextContent(), size), within(0.006));
    }
  }

  @Test
  void titleAndDescriptionSayWhatTheMapShows() throws Exception {
    Element svg =
        parse(Maps.clustered(5, 1, 0.2, 1).withTitle("T & t").withCaption("nats").toSvg())
            .getDocumentElement();
    assertThat(svg.getElementsByTagName("title").item(0).getTextContent()).isEqualTo("T & t");
    assertThat(svg.getElementsByTagName("desc").item(0).getTextContent())
        .isEqualTo("A map of 5 models in groups: gpt2 (5). nats");
    assertThat(svg.getAttribute("viewBox"))
        .isEqualTo("0 0 " + svg.getAttribute("width") + " " + svg.getAttribute("height"));
  }

  @Test
  void mapsCanShareAPageBecauseNoElementHasAnId() {
    assertThat(Maps.clustered(9, 3, 0.2, 1).toSvg()).doesNotContain(" id=");
  }

  @Test
  void linksAreArrowsBetweenTheRimsOfTheirModels() throws Exception {
    MapView view = Maps.named("a", "b", "c").withLinks("fine-tuned", List.of(new Link("a", "b")));
    MapLayout layout = MapComposer.compose(view);
    Mark a = layout.marks().get(0);
    Mark b = layout.marks().get(1);
    Segment link = layout.links().get(0);
    assertThat(Math.hypot(link.x1() - a.x(), link.y1() - a.y()))
        .isCloseTo(a.radius() + 1, within(1e-9));
    assertThat(Math.hypot(link.x2() - b.x(), link.y2() - b.y()))
        .isCloseTo(b.radius() + 1, within(1e-9));
    // One arrow on the map and one in the legend, each a line and a head.
    Document svg = parse(view.toSvg());
    assertThat(elements(svg, "line", "")).hasSize(2);
    assertThat(elements(svg, "polygon", "")).hasSize(2);
    assertThat(elements(svg, "text", "")).anyMatch(t -> t.getTextContent().equals("fine-tuned"));
  }

  @Test
  void linkBetweenIdenticalPointsIsLeftOut() {
    MapView view =
        Maps.of(new double[] {1, 1}, new double[] {1, 1}, new double[] {2, 2})
            .withLinks("next", List.of(new Link("pythia-1b-step0", "pythia-1b-step1000")));
    assertThat(MapComposer.compose(view).links()).isEmpty();
  }

  @Test
  void noTicksAndNoAxisTitlesUnlessAskedFor() throws Exception {
    MapView view = Maps.named("a", "b").withCaption("");
    assertThat(elements(parse(view.toSvg()), "text", "")).isEmpty();
    List<Element> titles =
        elements(parse(view.withAxisTitles("PC 1 (41 %)", "PC 2 (9 %)").toSvg()), "text", "");
    assertThat(titles)
        .extracting(Element::getTextContent)
        .containsExactlyInAnyOrder("PC 1 (41 %)", "PC 2 (9 %)");
    assertThat(titles).anyMatch(t -> t.getAttribute("transform").startsWith("rotate(-90 "));
  }

  @Test
  void sameViewGivesSameBytesInEveryLocale() {
    MapView view = Maps.clustered(50, 5, 0.1, 2);
    String first = view.toSvg();
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      assertThat(view.toSvg()).isEqualTo(first);
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void bytesAreTheOnesOfEveryOtherMachine() throws IOException {
    MapView view =
        Maps.clustered(24, 4, 0.15, 11)
            .withTitle("24 models")
            .withAxisTitles("PC 1 (41 %)", "PC 2 (9 %)")
            .withHollow("int8", List.of("qwen2-legal-b-int8-3"));
    assertThat(view.toSvg()).isEqualTo(resource("map-of-24.svg"));
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = SvgRendererTest.class.getResourceAsStream(name)) {
      assertThat(in).as(name).isNotNull();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static Document parse(String svg) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(svg)));
  }

  private static List<String> tooltips(Document svg) {
    List<String> tooltips = new ArrayList<>();
    for (String tag : List.of("circle", "polygon")) {
      for (Element mark : elements(svg, tag, "model")) {
        tooltips.add(mark.getElementsByTagName("title").item(0).getTextContent());
      }
    }
    return tooltips;
  }

  private static List<Element> elements(Document svg, String tag, String cssClass) {
    List<Element> found = new ArrayList<>();
    NodeList all = svg.getElementsByTagName(tag);
    for (int i = 0; i < all.getLength(); i++) {
      Element element = (Element) all.item(i);
      if (element.getAttribute("class").equals(cssClass)) {
        found.add(element);
      }
    }
    return found;
  }
}
