/* The order of the units of products and convolutions: a grid of rows × columns in `stretches` nearly equal runs of rows;
 * in a stretch, column by column. Threads take halves of the order: with one stretch they share the rows and part the
 * columns, and so the weights; with two they part the rows, and find the rows they wrote in their own cache. */
#ifndef CK_UNIT_ORDER_H
#define CK_UNIT_ORDER_H
#include <stddef.h>

typedef struct {
    size_t row, column, left; /* left: rows of the stretch from `row` on */
} ck_cell;

__attribute__((unused, noinline, minsize))
static ck_cell ck_cell_at(size_t unit, size_t rows, size_t columns, size_t stretches) {
    const size_t stretch = ((unit / columns + 1) * stretches - 1) / rows, first = stretch * rows / stretches;
    const size_t length = (stretch + 1) * rows / stretches - first, in = unit - first * columns;
    return (ck_cell){first + in % length, in / length, length - in % length};
}
#endif
