// product = a b; a has rows x inner elements, b has inner x columns.
void multiply(const double *a, const double *b, double *product, int rows, int inner, int columns);
