package io.llmap.view;

/** What a map is drawn on. Coordinates are pixels of the unscaled page, y downward. */
interface Canvas {
  /** The width of the white rim that keeps a label apart from the lines under it. */
  double HALO = 2.4;

  /** The width of a mark's rim. */
  double RIM = 0.8;

  /** The width of a hollow mark's rim. */
  double HOLLOW_RIM = 1.8;

  /** How much darker than its filling a mark's rim is. */
  double RIM_SHADE = 0.35;

  void rectangle(Box box, int fill, int frame);

  void line(Segment segment, double width, int rgb);

  void polygon(double[] outline, int rgb);

  /** A mark of the legend. */
  void mark(Mark mark);

  /** The mark of a model, with what a reader sees who points at it. */
  void model(Mark mark, String tooltip);

  void text(TextLine line);

  /** Text with a white rim. */
  void label(TextLine line);
}
