/**
 * Pictures of model maps.
 *
 * <p>Separate from the core because only this module knows about fonts and files of pixels. {@link
 * io.llmap.view.MapView} holds what is drawn; one layout places points, labels and legend, and two
 * small renderers, SVG and PNG, draw exactly that layout. Text is measured with the advance widths
 * of a font that comes with the library, so the layout depends on no installed font and the SVG
 * needs no AWT. A point p of the embedding is drawn at c + (p − m) / s, with the middle m of the
 * points, the centre c of the panel and one scale s for both axes, so distances on the picture
 * compare.
 *
 * <pre>{@code
 * Embedding embedding =
 *     Embedding.of(List.of("gpt2", "gpt2-int8", "llama"), points, "PCA of centred log-likelihoods");
 * MapView view =
 *     MapView.of(embedding)
 *         .withGroups(Map.of("gpt2", "GPT-2", "gpt2-int8", "GPT-2", "llama", "Llama"))
 *         .withHollow("int8", List.of("gpt2-int8"))
 *         .withTitle("Three models");
 * view.writeSvg(folder.resolve("map.svg"));
 * view.writePng(folder.resolve("map.png"));
 * }</pre>
 *
 * <p>Roboto, the font, is licensed under the Apache License 2.0; licence and origin lie beside it.
 */
@NullMarked
package io.llmap.view;

import org.jspecify.annotations.NullMarked;
