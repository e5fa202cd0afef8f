#include "ctl/complete.h"

#include <string.h>

static const struct command_option *find_option(const struct command *command, const char *word,
                                                size_t length)
{
    for (const struct command_option *o = command->options; o && o->name; o++) {
        if (strlen(o->name) == length && strncmp(o->name, word, length) == 0)
            return o;
    }
    return NULL;
}

static const struct command *find_command(const struct command *const *catalogue, const char *word)
{
    for (; *catalogue; catalogue++) {
        if (strcmp((*catalogue)->name, word) == 0)
            return *catalogue;
    }
    return NULL;
}

/* The part of text behind so many '|'. */
static void take_place(const char *text, int place, struct complete *out)
{
    for (; text && place > 0; place--) {
        text = strchr(text, '|');
        text = text ? text + 1 : NULL;
    }
    out->kinds = text;
    out->kinds_length = text ? strcspn(text, "|") : 0;
}

static void take_argument(const struct command_option *option, const char *word, struct complete *out)
{
    out->word = word;
    out->kinds = option->completes;
    out->kinds_length = option->completes ? strlen(option->completes) : 0;
}

/* The words as they are read. */
struct walk {
    const struct command *const *catalogue;
    const struct command *command; /* before, until one was named */
    bool named, lost;              /* lost: no command of that name, so nothing is known of what follows */
    bool plain;                    /* behind "--": operands only */
    int operands;
    int at, count;
    char *const *words;
};

/* The word at w->at is the argument of an option. */
static void pass_argument(const struct walk *w, const struct command_option *option, const char *word,
                          struct complete *out)
{
    if (w->at == w->count - 1)
        take_argument(option, word, out);
    else if (option->code == OPTION_SOCKET)
        out->socket = word;
}

/* "--name", "--name=value", "--name value", "--name = value". False: the end was reached inside of it. */
static bool pass_option(struct walk *w, struct complete *out)
{
    const char *word = w->words[w->at] + 2;
    const size_t length = strcspn(word, "=");
    const struct command_option *option = find_option(w->command, word, length);

    if (!option || !option->argument)
        return w->at < w->count - 1;
    if (word[length] == '=') {
        pass_argument(w, option, word + length + 1, out);
        return w->at < w->count - 1;
    }
    if (w->at == w->count - 1)
        return true; /* still its name */
    if (strcmp(w->words[w->at + 1], "=") == 0) {
        w->at++;
        if (w->at == w->count - 1)
            take_argument(option, "", out);
        if (w->at == w->count - 1)
            return false;
    } else if (option->argument[0] == '[') {
        return true;
    }
    w->at++;
    pass_argument(w, option, w->words[w->at], out);
    return w->at < w->count - 1;
}

static void pass_operand(struct walk *w)
{
    if (w->named) {
        w->operands++;
        return;
    }
    w->command = find_command(w->catalogue, w->words[w->at]);
    w->named = true;
    w->lost = !w->command;
}

/* The last word, which is no argument of an option. */
static void finish(const struct walk *w, struct complete *out)
{
    const char *word = w->words[w->count - 1];

    if (w->lost)
        return;
    out->word = word;
    if (!w->plain && word[0] == '-') {
        out->options = w->command;
        return;
    }
    if (!w->named) {
        out->commands = true;
        return;
    }
    if (w->operands < w->command->most)
        take_place(w->command->completes, w->operands, out);
    if (!out->kinds && !w->plain && word[0] == '\0')
        out->options = w->command;
}

void complete_find(const struct command *const *catalogue, const struct command *before, int count,
                   char *const *words, struct complete *out)
{
    struct walk w = {.catalogue = catalogue, .command = before, .count = count, .words = words};

    memset(out, 0, sizeof *out);
    out->word = words[count - 1];
    for (; w.at < count - 1 && !w.lost; w.at++) {
        const char *word = words[w.at];

        if (!w.plain && strcmp(word, "--") == 0)
            w.plain = true;
        else if (w.plain || strncmp(word, "--", 2) != 0)
            pass_operand(&w);
        else if (!pass_option(&w, out))
            return;
    }
    if (w.at == count - 1 && !w.plain && !w.lost && strncmp(words[w.at], "--", 2) == 0 &&
        strchr(words[w.at], '=')) {
        (void)pass_option(&w, out);
        return;
    }
    finish(&w, out);
}
