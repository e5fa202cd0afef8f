#include "store/loss.h"

const char *loss_cause_name(enum loss_cause cause)
{
    switch (cause) {
    case LOSS_AGE:
        return "age";
    case LOSS_SIZE:
        return "size";
    case LOSS_DISK:
        return "disk";
    case LOSS_CORRUPT:
        return "corrupt";
    case LOSS_MISSING:
        return "missing";
    }
    return "unknown";
}

void loss_add(struct loss *to, const struct loss *more)
{
    if (more->count == 0)
        return;
    if (to->count == 0 || more->first < to->first)
        to->first = more->first;
    if (to->count == 0 || more->last > to->last)
        to->last = more->last;
    to->count += more->count;
}

void loss_book_add(struct loss_book *to, const struct loss_book *more)
{
    for (int s = 0; s < STREAM_COUNT; s++) {
        for (int c = 0; c < LOSS_CAUSES; c++)
            loss_add(&to->of[s][c], &more->of[s][c]);
    }
}

bool loss_book_empty(const struct loss_book *book)
{
    for (int s = 0; s < STREAM_COUNT; s++) {
        for (int c = 0; c < LOSS_CAUSES; c++) {
            if (book->of[s][c].count > 0)
                return false;
        }
    }
    return true;
}
