package io.llmap.view;

/** A point as it is drawn: filled, or only its rim. */
record Mark(double x, double y, double radius, MarkerShape shape, int rgb, boolean hollow) {}
