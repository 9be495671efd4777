package io.llmap.cuda;

/** How many blocks a kernel runs in, and how many threads each has. */
record LaunchShape(int gridX, int gridY, int blockX) {}
