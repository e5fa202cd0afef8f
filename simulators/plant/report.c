#include "plant/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plant/plant.h"

static void write_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void write_silence(FILE *out, const char *name, int64_t us)
{
    if (us < 0)
        fprintf(out, ",\"%s\":null", name);
    else
        fprintf(out, ",\"%s\":%" PRId64, name, us);
}

static void write_listener(const struct listener *listener, FILE *out)
{
    const struct listener_counters *counters = &listener->counters;
    fprintf(out, "{\"kind\":\"%s\",\"open\":%s,\"links\":%" PRIu32,
            listener_kind_names[listener->config->kind], listener->open ? "true" : "false",
            listener->link_count);
    fprintf(out, ",\"requests\":%" PRIu64 ",\"answers\":%" PRIu64 ",\"unknown_units\":%" PRIu64,
            counters->requests, counters->answers, counters->unknown_units);
    fprintf(out, ",\"broadcasts\":%" PRIu64 ",\"bad_frames\":%" PRIu64 ",\"bad_bytes\":%" PRIu64,
            counters->broadcasts, counters->bad_frames, counters->bad_bytes);
    fprintf(out,
            ",\"accepted\":%" PRIu64 ",\"closed\":%" PRIu64 ",\"overlapped\":%" PRIu64 ",\"unsent\":%" PRIu64,
            counters->accepted, counters->closed, counters->overlapped, counters->unsent);
    write_silence(out, "silence_min_us", counters->silence_min_us);
    write_silence(out, "silence_max_us", counters->silence_max_us);
    write_silence(out, "switch_silence_min_us", counters->switch_silence_min_us);
    fputs(",\"units\":{", out);
    for (size_t i = 0; i < listener->config->unit_count; i++) {
        const struct unit *unit = listener->config->units[i];
        fprintf(out,
                "%s\"%u\":{\"requests\":%" PRIu64 ",\"answers\":%" PRIu64 ",\"exceptions\":%" PRIu64
                ",\"faults\":%" PRIu64 ",\"writes\":%" PRIu64 "}",
                i > 0 ? "," : "", unit->id, unit->counters.requests, unit->counters.answers,
                unit->counters.exceptions, unit->counters.faults, unit->counters.writes);
    }
    fputs("}}", out);
}

void report_stats(const struct plant *plant, FILE *out)
{
    int64_t now_us = timers_now();
    fprintf(out,
            "{\"mono_us\":%" PRId64 ",\"start_us\":%" PRId64 ",\"plant_us\":%" PRId64
            ",\"links_refused\":%" PRIu64 ",\"answers_lost\":%" PRIu64 ",\"listeners\":{",
            now_us, plant->start_us, plant_time(plant, now_us), plant->links_refused, plant->answers_lost);
    for (size_t i = 0; i < plant->scenario.listener_count; i++) {
        fputs(i > 0 ? "," : "", out);
        write_text(out, plant->listeners[i].config->name);
        fputc(':', out);
        write_listener(&plant->listeners[i], out);
    }
    fputs("}}\n", out);
}

void report_history(const struct listener *listener, const struct unit *unit, FILE *out)
{
    const struct history *history = &unit->history;
    uint64_t kept = history->total < history->capacity ? history->total : history->capacity;
    fputs("{\"listener\":", out);
    write_text(out, listener->config->name);
    fprintf(out,
            ",\"unit\":%u,\"total\":%" PRIu64
            ",\"columns\":[\"at_us\",\"silence_us\",\"function\",\"address\",\"quantity\"],\"requests\":[",
            unit->id, history->total);
    for (uint64_t i = history->total - kept; i < history->total; i++) {
        const struct history_entry *entry = &history->entries[i % history->capacity];
        fprintf(out, "%s[%" PRId64 ",", i > history->total - kept ? "," : "", entry->at_us);
        if (entry->silence_us == UINT32_MAX)
            fputs("null", out);
        else
            fprintf(out, "%" PRIu32, entry->silence_us);
        fprintf(out, ",%u,%u,%u]", entry->function, entry->address, entry->quantity);
    }
    fputs("]}\n", out);
}

void report_reset(struct plant *plant)
{
    plant->links_refused = plant->answers_lost = 0;
    for (size_t i = 0; i < plant->scenario.listener_count; i++) {
        struct listener *listener = &plant->listeners[i];
        listener->counters = (struct listener_counters){
            .silence_min_us = -1, .silence_max_us = -1, .switch_silence_min_us = -1};
        for (size_t u = 0; u < listener->config->unit_count; u++) {
            listener->config->units[u]->counters = (struct unit_counters){0};
            listener->config->units[u]->history.total = 0;
        }
    }
}

static bool write_ports(const struct plant *plant, const char *file)
{
    FILE *out = fopen(file, "we");
    if (out == NULL)
        return false;
    fputc('{', out);
    for (size_t i = 0; i < plant->scenario.listener_count; i++) {
        const struct listener *listener = &plant->listeners[i];
        fputs(i > 0 ? ",\n " : "", out);
        write_text(out, listener->config->name);
        if (listener->config->kind == LISTENER_RTU) {
            fputs(": ", out);
            write_text(out, listener->config->path);
        } else {
            fprintf(out, ": %u", listener->port);
        }
    }
    fputs("}\n", out);
    bool written = ferror(out) == 0;
    return fclose(out) == 0 && written;
}

bool report_ports(const struct plant *plant, const char *file)
{
    char beside[4096];
    int length = snprintf(beside, sizeof(beside), "%s.%ld", file, (long)getpid());
    errno = ENAMETOOLONG;
    if (length > 0 && (size_t)length < sizeof(beside) && write_ports(plant, beside) &&
        rename(beside, file) == 0)
        return true;
    fprintf(stderr, "riskgate-plant: port file %s: %s\n", file, strerror(errno));
    (void)unlink(beside);
    return false;
}
