// -O3
// A matrix product whose operands may overlap as far as the compiler knows, and a transposition.
void product(int rows, int inner, int columns, const float *left, const float *right, float *result) {
  for (int row = 0; row < rows; row++)
    for (int column = 0; column < columns; column++)
      result[row * columns + column] = 0.0f;
  for (int row = 0; row < rows; row++)
    for (int step = 0; step < inner; step++)
      for (int column = 0; column < columns; column++)
        result[row * columns + column] += left[row * inner + step] * right[step * columns + column];
}

float trace_of_product(int size, const float *left, const float *right) {
  float sum = 0.0f;
  for (int row = 0; row < size; row++)
    for (int step = 0; step < size; step++)
      sum += left[row * size + step] * right[step * size + row];
  return sum;
}

void transpose(float matrix[64][64]) {
  for (int row = 0; row < 64; row++)
    for (int column = row + 1; column < 64; column++) {
      float kept = matrix[row][column];
      matrix[row][column] = matrix[column][row];
      matrix[column][row] = kept;
    }
}
