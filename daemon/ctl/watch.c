#include "ctl/watch.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/screen.h"

#define TIME_TEXT 32

static void end_cb(int signal)
{
    (void)signal;
    _exit(EXIT_DONE);
}

/* Half a frame may stand there. */
static void end_terminal_cb(int signal)
{
    static const char restore[] = SCREEN_RESTORE;
    ssize_t written = write(STDOUT_FILENO, restore, sizeof restore - 1);

    (void)written; /* nobody is left who could do anything about it */
    (void)signal;
    _exit(EXIT_DONE);
}

/* It need only interrupt the pause. */
static void resized_cb(int signal)
{
    (void)signal;
}

static void on(int number, void (*handler)(int signal))
{
    struct sigaction action = {.sa_handler = handler};

    (void)sigaction(number, &action, NULL); /* the numbers are right */
}

static void pause_for(int64_t ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)nanosleep(&time, NULL); /* shorter when the window's size changes, to be drawn at once */
}

static const char *time_text(char out[TIME_TEXT])
{
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm local;

    if (!localtime_r(&now, &local) || strftime(out, TIME_TEXT, "%Y-%m-%d %H:%M:%S", &local) == 0)
        out[0] = '\0';
    return out;
}

/* How many rows the terminal has, 0: nobody knows. A frame is made in memory: its lines' length is told by COLUMNS (table_line). */
static unsigned measure(void)
{
    struct winsize size = {0};
    char columns[16];

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return 0;
    (void)snprintf(columns, sizeof columns, "%u", size.ws_col);
    if (size.ws_col > 0)
        (void)setenv("COLUMNS", columns, 1); /* without it lines are cut */
    return size.ws_row;
}

/* One look, drawn over the last one. */
static enum exit_status draw(const struct arguments *a, watch_cb look, void *arg, bool first)
{
    char *text = NULL, at[TIME_TEXT];
    size_t length = 0;
    enum exit_status status;
    FILE *memory = open_memstream(&text, &length);
    const unsigned rows = measure();

    if (!memory) {
        (void)fputs("riskgatectl: out of memory\n", stderr);
        return EXIT_FAILED;
    }
    (void)fprintf(memory, "riskgatectl %s   %s   every %g s, Ctrl-C ends it\n\n", a->command, time_text(at),
                  (double)a->watch_ms / 1000);
    status = look(arg, memory, first ? stderr : memory);
    if (fclose(memory) == 0 && (status == EXIT_DONE || !first)) {
        screen_draw(text, rows, first, stdout);
        (void)fflush(stdout);
    }
    free(text);
    return status;
}

/* One look, behind the last one. */
static enum exit_status follow(const struct arguments *a, watch_cb look, void *arg, bool first)
{
    enum exit_status status;
    char at[TIME_TEXT];

    if (!a->json)
        (void)printf("%s# %s\n", first ? "" : "\n", time_text(at));
    status = look(arg, stdout, stderr);
    (void)fflush(stdout);
    return status;
}

enum exit_status watch_run(const struct arguments *a, watch_cb look, void *arg)
{
    const bool terminal = !a->json && isatty(STDOUT_FILENO);
    const char *term = getenv("TERM");
    const bool draws = terminal && term && strcmp(term, "dumb") != 0;
    enum exit_status status;

    /* A frame is made in memory, which is no terminal: so colours are asked for. */
    if (draws && setenv("CLICOLOR_FORCE", "1", 1) != 0)
        return EXIT_FAILED;
    on(SIGINT, draws ? end_terminal_cb : end_cb);
    on(SIGTERM, draws ? end_terminal_cb : end_cb);
    on(SIGWINCH, resized_cb);
    for (bool first = true;; first = false) {
        status = draws ? draw(a, look, arg, first) : follow(a, look, arg, first);
        if (first && status != EXIT_DONE)
            return status;
        pause_for(a->watch_ms);
    }
}
