#include "app/metrics_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "metrics/metrics.h"

#define STATUS_MAX ((size_t)64 << 20)
#define NEW ".new" /* the collector passes over a name that does not end in .prom */

struct metrics_file {
    const struct command_context *context;
    struct loop_worker *worker;
    struct loop_timer *timer;
    char *path;       /* NULL: no file is configured */
    int64_t every_ms; /* only then */
    struct jsonw status;
    uint64_t written, failures;
    int64_t last_wall_ms; /* 0: never */
    char detail[128];     /* why the last one failed; empty: it did not */
    struct fault fault;
    /* The worker's while it is busy. */
    struct metrics_text text;
    char *into, *beside; /* path, and its name while it is being written */
    int reason;          /* errno; 0: it was written */
};

/* ---- the text ---- */

static enum rg_err make_text(const struct command_context *c, enum status_reader who, enum metrics_form form,
                             struct jsonw *status, struct metrics_text *text)
{
    struct json *json = NULL;
    enum rg_err err;

    jsonw_reset(status);
    command_status(c, who, status);
    err = jsonw_error(status);
    if (err == RG_OK)
        err = json_parse(status->text, status->length, STATUS_MAX, &json);
    if (err == RG_OK)
        err = metrics_write(form, json, text);
    json_free(json);
    return err;
}

enum rg_err metrics_file_command(const struct command_context *c, struct jsonw *w)
{
    struct metrics_text text = {0};
    struct jsonw status;
    enum rg_err err;

    jsonw_init(&status, STATUS_MAX);
    err = make_text(c, STATUS_METRICS, METRICS_OPENMETRICS, &status, &text);
    if (err == RG_OK)
        jsonw_string_n(w, text.text, text.length);
    metrics_text_free(&text);
    jsonw_free(&status);
    return err;
}

/* ---- on the worker's thread: a disk, or a mount from afar, may hang ---- */

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t done = write(fd, bytes, length);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        bytes += done;
        length -= (size_t)done;
    }
    return true;
}

/* Whoever reads sees the last text or this one, whole. Not synced: after a power cut the next one is seconds away. The folder may
 * belong to others, so a link that lies there is not followed. Readable for all, whatever the umask: the collector is another user. */
static int write_file(const struct metrics_file *m)
{
    int reason = 0;
    int fd;

    if (unlink(m->beside) != 0 && errno != ENOENT)
        return errno;
    fd = open(m->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return errno;
    if (!write_all(fd, m->text.text, m->text.length) || fchmod(fd, 0644) != 0)
        reason = errno;
    if (close(fd) != 0 && reason == 0)
        reason = errno;
    if (reason == 0 && rename(m->beside, m->into) != 0)
        reason = errno;
    if (reason != 0)
        (void)unlink(m->beside);
    return reason;
}

static void run_cb(void *arg)
{
    struct metrics_file *m = arg;

    m->reason = write_file(m);
}

/* ---- on the loop ---- */

static void fail(struct metrics_file *m, const char *why)
{
    const struct pipeline *p = m->context->pipeline;
    int64_t now_ms = loop_mono_ms(p->loop);
    uint32_t times = 0;
    enum fault_line line = fault_begin(&m->fault, now_ms, &times);

    m->failures++;
    (void)text_copy(m->detail, sizeof m->detail, why);
    if (line == FAULT_NOTHING)
        line = fault_look(&m->fault, now_ms, &times);
    if (line != FAULT_NOTHING)
        log_warning("metrics: %s cannot be written: %s", m->path, why);
}

static void done_cb(void *arg, const struct loop_worker_time *time)
{
    struct metrics_file *m = arg;

    if (!m->path || !m->into || strcmp(m->path, m->into) != 0) { /* a reload came meanwhile */
        if (m->into)
            (void)unlink(m->into);
        return;
    }
    if (m->reason != 0) {
        fail(m, strerror(m->reason));
        return;
    }
    m->written++;
    m->last_wall_ms = time->ended_wall_ms;
    m->detail[0] = '\0';
    if (fault_end(&m->fault, loop_mono_ms(m->context->pipeline->loop)) == FAULT_END)
        log_info("metrics: %s is written again", m->path);
}

static bool name_files(struct metrics_file *m)
{
    size_t length = strlen(m->path) + sizeof NEW;

    free(m->into);
    free(m->beside);
    m->into = strdup(m->path);
    m->beside = malloc(length);
    return m->into && m->beside && text_format(m->beside, length, "%s%s", m->path, NEW);
}

static void timer_cb(void *arg)
{
    struct metrics_file *m = arg;
    const struct pipeline *p = m->context->pipeline;
    enum rg_err err;

    loop_timer_at(m->timer, loop_mono_ms(p->loop) + m->every_ms);
    if (!p->poll)
        return; /* the daemon is stopping */
    if (loop_worker_busy(m->worker)) {
        fail(m, "the last one is still being written");
        return;
    }
    err = name_files(m) ? make_text(m->context, STATUS_FILE, METRICS_PROMETHEUS, &m->status, &m->text)
                        : RG_ENOMEM;
    if (err == RG_OK)
        err = loop_worker_submit(m->worker);
    if (err != RG_OK)
        fail(m, rg_err_text(err));
}

/* ---- life ---- */

enum rg_err metrics_file_create(const struct command_context *context, struct metrics_file **out)
{
    struct loop *loop = context->pipeline->loop;
    struct metrics_file *m = calloc(1, sizeof *m);
    enum rg_err err;

    *out = NULL;
    if (!m)
        return RG_ENOMEM;
    m->context = context;
    jsonw_init(&m->status, STATUS_MAX);
    err = loop_timer_create(loop, timer_cb, m, &m->timer);
    if (err == RG_OK)
        err = loop_worker_create(loop, "metrics", run_cb, done_cb, m, &m->worker);
    if (err != RG_OK) {
        metrics_file_destroy(m);
        return err;
    }
    *out = m;
    return RG_OK;
}

/* Figures of a daemon that does not write them any more would be taken for today's for ever. */
static void forget(struct metrics_file *m)
{
    if (m->path && m->written > 0)
        (void)unlink(m->path);
    free(m->path);
    m->path = NULL;
    m->written = m->failures = 0;
    m->last_wall_ms = 0;
    m->detail[0] = '\0';
    m->fault = (struct fault){.known = false};
}

void metrics_file_destroy(struct metrics_file *m)
{
    if (!m)
        return;
    loop_timer_destroy(m->timer);
    loop_worker_destroy(m->worker);
    if (m->path && m->into)
        m->written++; /* one may have been written that nobody was told of */
    forget(m);
    free(m->into);
    free(m->beside);
    metrics_text_free(&m->text);
    jsonw_free(&m->status);
    free(m);
}

void metrics_file_follow(struct metrics_file *m)
{
    const struct pipeline *p = m->context->pipeline;
    const struct site_metrics *conf = &p->site->metrics;

    if (m->path && conf->file && strcmp(m->path, conf->file) == 0) {
        if (m->every_ms != conf->every_ms)
            loop_timer_at(m->timer, loop_mono_ms(p->loop) + conf->every_ms);
        m->every_ms = conf->every_ms;
        return;
    }
    forget(m);
    if (!conf->file) {
        loop_timer_stop(m->timer);
        return;
    }
    m->path = strdup(conf->file);
    m->every_ms = conf->every_ms;
    if (m->path)
        loop_timer_at(m->timer, loop_mono_ms(p->loop));
    else
        log_error("metrics: %s", rg_err_text(RG_ENOMEM));
}

void metrics_file_status(const struct metrics_file *m, struct jsonw *w)
{
    if (!m || !m->path)
        return;
    jsonw_key(w, "metrics");
    jsonw_object_begin(w);
    jsonw_key_string(w, "file", m->path);
    jsonw_key_int(w, "written", (int64_t)m->written);
    jsonw_key_int(w, "failures", (int64_t)m->failures);
    jsonw_key_positive(w, "last_ts", m->last_wall_ms);
    jsonw_key_string(w, "detail", m->detail[0] ? m->detail : NULL);
    jsonw_object_end(w);
}
