#include "ctl/screen.h"

#include <string.h>

#define ROWS_STANDARD 24

static size_t lines_of(const char *text)
{
    size_t count = 0;

    for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
        count++;
    return count;
}

void screen_draw(const char *text, unsigned rows, bool first, FILE *to)
{
    const size_t room = (rows < 3 ? ROWS_STANDARD : rows) - 1;
    const size_t lines = lines_of(text);
    const size_t shown = lines <= room ? lines : room - 1;

    (void)fputs(first ? "\033[H\033[2J\033[?7l" : "\033[H\033[?7l", to);
    for (size_t i = 0; i < shown; i++) {
        size_t length = strcspn(text, "\n");

        (void)fprintf(to, "%.*s\033[K\n", (int)length, text);
        text += length;
        text += *text == '\n';
    }
    if (shown < lines) /* a colour may go on behind the last line */
        (void)fprintf(to, "\033[0m(%zu more lines: a taller window, or without --watch)\033[K\n",
                      lines - shown);
    (void)fputs("\033[J\033[?7h", to);
}
