/* Where images come from and where results go. Written by NeuroCUDA; a device of yours has its own. */
#ifndef IO_H
#define IO_H

#include <stdbool.h>
#include <stddef.h>

/* Fills `size` bytes with what comes next in inputs.bin; false where there is not so much left. */
bool take(void *target, size_t size);

/* Appends `size` bytes to outputs.bin. */
void give(const void *source, size_t size);

/* To be called last: 0, or 1 where something could not be read or written. */
int finish(void);

#endif
