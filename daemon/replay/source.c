#include "replay/source.h"

static enum rg_err next_cb(void *arg, struct history_entry *entry)
{
    struct history *h = arg;

    return history_next(h, entry);
}

static const char *why_cb(void *arg)
{
    return history_why(arg);
}

static enum rg_err open_cb(void *arg, const struct history_wish *wish, struct replay_source *out, char *why)
{
    const char *path = arg;
    struct history *h;
    enum rg_err err = history_open(path, wish, &h, why, REPLAY_WHY);

    *out = (struct replay_source){.arg = h, .next = next_cb, .why = why_cb};
    if (err == RG_OK)
        out->total = history_total(h);
    return err;
}

static void close_cb(void *arg, struct replay_source *source)
{
    (void)arg;
    history_close(source->arg);
    source->arg = NULL;
}

struct replay_past replay_past_store(const char *path)
{
    union {
        const char *in;
        void *out;
    } arg = {.in = path}; /* open_cb takes it as const again */

    return (struct replay_past){.arg = arg.out, .open = open_cb, .close = close_cb};
}
