// The cosine transform of 8x8 blocks of integers, forwards and back, in fixed point.
#ifndef DCT_H
#define DCT_H

void make_cosines(void);
void forward_dct(const int *block, int *coefficients);
void inverse_dct(const int *coefficients, int *block);

#endif
