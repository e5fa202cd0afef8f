#include "replay/scan.h"

#include <string.h>

#include "base/text.h"

struct text {
    const char *at, *end;
};

#define EAT(t, literal) eat(t, "" literal, sizeof(literal) - 1)

static bool eat(struct text *t, const char *word, size_t length)
{
    if ((size_t)(t->end - t->at) < length || memcmp(t->at, word, length) != 0)
        return false;
    t->at += length;
    return true;
}

/* A whole number without sign, as of ts and seq. */
static bool take_int(struct text *t, int64_t *out)
{
    const char *begin = t->at;
    int64_t value = 0;

    for (; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++) {
        if (value > (INT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (*t->at - '0');
    }
    *out = value;
    return t->at > begin;
}

/* The rest of a string whose quote has been read: an identifier, which needs no escapes. */
static bool take_id(struct text *t, const char **name, size_t *length)
{
    const char *begin = t->at;
    const char *quote = memchr(begin, '"', (size_t)(t->end - begin));

    if (!quote || quote == begin || quote - begin > TEXT_ID_MAX)
        return false;
    for (const char *p = begin; p < quote; p++) {
        unsigned char c = (unsigned char)*p;

        if (c <= ' ' || c == '\\' || c >= 0x7f)
            return false;
    }
    *name = begin;
    *length = (size_t)(quote - begin);
    t->at = quote + 1;
    return true;
}

/* The guessed name and its closing quote stand here. */
static bool eat_guess(struct text *t, const char *name, uint32_t length)
{
    if ((size_t)(t->end - t->at) <= length || t->at[length] != '"' || memcmp(t->at, name, length) != 0)
        return false;
    t->at += length + 1;
    return true;
}

static enum rg_err take_device(struct names *n, uint32_t last, struct text *t, uint32_t *out)
{
    uint32_t guess = last != NAMES_NONE ? n->devices[last].next : NAMES_NONE;
    const char *name;
    size_t length;
    enum rg_err err;

    if (guess != NAMES_NONE && eat_guess(t, n->devices[guess].name, n->devices[guess].length)) {
        *out = guess;
        return RG_OK;
    }
    if (!take_id(t, &name, &length))
        return RG_EINVAL;
    err = names_device(n, name, length, out);
    if (err == RG_OK && last != NAMES_NONE)
        n->devices[last].next = *out;
    return err;
}

/* before: the point that stood before it, or NAMES_NONE: the frame begins with it. */
static enum rg_err take_point(struct names *n, uint32_t device, uint32_t before, struct text *t,
                              uint32_t *out)
{
    uint32_t guess = before != NAMES_NONE ? n->points[before].next : n->devices[device].first;
    const char *name;
    size_t length;
    enum rg_err err;

    if (!EAT(t, "\""))
        return RG_EINVAL;
    if (guess != NAMES_NONE && eat_guess(t, n->points[guess].name, n->points[guess].length)) {
        *out = guess;
    } else {
        if (!take_id(t, &name, &length))
            return RG_EINVAL;
        err = names_point(n, device, name, length, out);
        if (err != RG_OK)
            return err;
        if (before != NAMES_NONE)
            n->points[before].next = *out;
        else
            n->devices[device].first = *out;
    }
    return EAT(t, ":") ? RG_OK : RG_EINVAL;
}

struct filling {
    struct names *n;
    struct sample *samples;
    size_t room;
    uint64_t frame;
    uint32_t before;
    struct scanned *out;
};

static enum rg_err take_quality(struct text *t, enum quality *out)
{
    const char *name;
    size_t length;

    if (!EAT(t, "\"") || !take_id(t, &name, &length))
        return RG_EINVAL;
    for (enum quality q = QUALITY_COMM; q < QUALITY_COUNT; q++) {
        if (strlen(quality_name(q)) == length && memcmp(quality_name(q), name, length) == 0) {
            *out = q;
            return RG_OK;
        }
    }
    return RG_EINVAL;
}

static enum rg_err take_sample(struct filling *f, struct text *t, bool good)
{
    struct scanned *out = f->out;
    struct sample s = {.quality = QUALITY_GOOD};
    enum rg_err err = take_point(f->n, out->device, f->before, t, &s.point);

    if (err != RG_OK)
        return err;
    if (f->n->points[s.point].frame == f->frame)
        return RG_EINVAL;
    f->n->points[s.point].frame = f->frame;
    f->before = s.point;
    if (good) {
        t->at = scan_number(t->at, t->end, f->n->points[s.point].single, &s.value);
        if (!t->at)
            return RG_EINVAL;
    } else {
        err = take_quality(t, &s.quality);
        if (err != RG_OK)
            return err;
    }
    if (s.quality != QUALITY_COMM && s.quality != QUALITY_DEVICE)
        out->heard = true;
    if (out->count == f->room)
        return RG_EFULL;
    f->samples[out->count++] = s;
    return RG_OK;
}

/* The members of an object whose brace has been read. */
static enum rg_err take_samples(struct filling *f, struct text *t, bool good)
{
    enum rg_err err;

    if (EAT(t, "}"))
        return RG_OK;
    do {
        err = take_sample(f, t, good);
        if (err != RG_OK)
            return err;
    } while (EAT(t, ","));
    return EAT(t, "}") ? RG_OK : RG_EINVAL;
}

enum rg_err scan_frame(struct names *n, uint32_t last, const char *text, size_t length,
                       struct sample *samples, size_t room, struct scanned *out)
{
    struct text t = {.at = text, .end = text + length};
    struct filling f = {.n = n, .samples = samples, .room = room, .before = NAMES_NONE, .out = out};
    bool whole = EAT(&t, "{");
    int64_t seq;
    enum rg_err err;

    *out = (struct scanned){0};
    if (whole && !(EAT(&t, "\"seq\":") && take_int(&t, &seq) && EAT(&t, ",")))
        return RG_EINVAL;
    if (!EAT(&t, "\"ts\":") || !take_int(&t, &out->ts) || !EAT(&t, ",\"device\":\""))
        return RG_EINVAL;
    err = take_device(n, last, &t, &out->device);
    if (err != RG_OK)
        return err;
    f.frame = ++n->frames;
    if (!EAT(&t, ",\"values\":{"))
        return RG_EINVAL;
    err = take_samples(&f, &t, true);
    if (err == RG_OK && EAT(&t, ",\"bad\":{"))
        err = take_samples(&f, &t, false);
    if (err != RG_OK)
        return err;
    if (EAT(&t, ",\"heard\":true"))
        out->heard = true;
    out->unsynced = EAT(&t, ",\"clock\":\"unsynced\"");
    if (whole && !EAT(&t, "}"))
        return RG_EINVAL;
    return t.at == t.end ? RG_OK : RG_EINVAL;
}
