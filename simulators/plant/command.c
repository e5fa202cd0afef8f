#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plant/control.h"
#include "plant/plant.h"
#include "plant/report.h"
#include "plant/scenario_parts.h"

#define WORDS_MAX 8

struct command {
    struct plant *plant;
    char *words[WORDS_MAX];
    size_t count;
    FILE *out;
    struct listener *listener; /* words 1 and 2, found */
    struct unit *unit;         /* NULL: "*", the listener itself */
};

static void answer_ok(const struct command *command)
{
    fputs("ok\n", command->out);
}

static bool read_integer(const char *text, int64_t least, int64_t most, int64_t *out)
{
    char *end = NULL;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || value < least || value > most)
        return false;
    *out = value;
    return true;
}

static bool find_place(struct command *command)
{
    struct plant *plant = command->plant;
    int64_t id = 0;
    if (command->count < 3) {
        fprintf(command->out, "error: %s <listener> <unit> is needed\n", command->words[0]);
        return false;
    }
    for (size_t i = 0; i < plant->scenario.listener_count && command->listener == NULL; i++) {
        if (strcmp(plant->listeners[i].config->name, command->words[1]) == 0)
            command->listener = &plant->listeners[i];
    }
    if (command->listener == NULL) {
        fprintf(command->out, "error: no listener '%s'\n", command->words[1]);
        return false;
    }
    if (strcmp(command->words[2], "*") == 0)
        return true;
    if (read_integer(command->words[2], 0, 255, &id))
        command->unit = command->listener->config->by_id[id];
    if (command->unit == NULL)
        fprintf(command->out, "error: no unit '%s' on %s\n", command->words[2], command->words[1]);
    return command->unit != NULL;
}

/* A bare number is the kind's argument; every=N and times=N as in a scenario. */
static bool read_fault_word(const char *word, struct fault *fault)
{
    struct fault_argument range = fault_argument(fault->kind);
    int64_t value = 0;
    if (strncmp(word, "every=", 6) == 0 && read_integer(word + 6, 1, UINT32_MAX, &value)) {
        fault->every = (uint32_t)value;
        return true;
    }
    if (strncmp(word, "times=", 6) == 0 && read_integer(word + 6, 1, UINT32_MAX, &value)) {
        fault->times = (uint32_t)value;
        return true;
    }
    return read_integer(word, range.least, range.most, &fault->argument);
}

static void run_fault(struct command *command)
{
    struct fault fault = {.kind = FAULT_KIND_COUNT, .to_us = INT64_MAX, .every = 1};
    for (size_t i = 0; command->count > 3 && i < FAULT_KIND_COUNT; i++) {
        if (strcmp(command->words[3], fault_kind_names[i]) == 0)
            fault.kind = (enum fault_kind)i;
    }
    if (fault.kind == FAULT_KIND_COUNT) {
        fputs("error: unknown kind of fault\n", command->out);
        return;
    }
    fault.argument = fault_argument(fault.kind).usual;
    const char *refused =
        scenario_fault_refused(fault.kind, command->listener->config->kind, command->unit == NULL);
    if (refused != NULL) {
        fprintf(command->out, "error: %s\n", refused);
        return;
    }
    for (size_t i = 4; i < command->count; i++) {
        if (!read_fault_word(command->words[i], &fault)) {
            fprintf(command->out, "error: '%s' is not for %s\n", command->words[i],
                    fault_kind_names[fault.kind]);
            return;
        }
    }
    if (fault_argument(fault.kind).needed && fault.argument == 0) {
        fprintf(command->out, "error: %s needs '%s'\n", fault_kind_names[fault.kind],
                fault_argument_name(fault.kind));
        return;
    }
    struct fault_set *set =
        command->unit != NULL ? &command->unit->faults : &command->listener->config->faults;
    if (!fault_set_add(set, &fault)) {
        fputs("error: too many faults there\n", command->out);
        return;
    }
    listener_update(command->plant, command->listener);
    answer_ok(command);
}

static void clear_listener(struct plant *plant, struct listener *listener)
{
    listener->config->faults.manual_count = 0;
    for (size_t i = 0; i < listener->config->unit_count; i++)
        listener->config->units[i]->faults.manual_count = 0;
    listener_update(plant, listener);
}

static void run_clear(struct command *command)
{
    if (command->count == 1) {
        for (size_t i = 0; i < command->plant->scenario.listener_count; i++)
            clear_listener(command->plant, &command->plant->listeners[i]);
    } else if (!find_place(command)) {
        return;
    } else if (command->unit != NULL) {
        command->unit->faults.manual_count = 0;
    } else {
        clear_listener(command->plant, command->listener);
    }
    if (command->listener != NULL && !command->listener->open &&
        !fault_set_refuses(&command->listener->config->faults, plant_time(command->plant, timers_now())))
        fputs("error: the listener does not open\n", command->out);
    else
        answer_ok(command);
}

static void run_set(struct command *command, bool hold)
{
    size_t space = BANK_SPACE_COUNT;
    int64_t address = 0;
    char *end = NULL;
    double value = 0;
    if (command->unit == NULL || command->count != (hold ? 6u : 5u)) {
        fprintf(command->out, "error: %s <listener> <unit> <space> <address>%s\n", command->words[0],
                hold ? " <value>" : "");
        return;
    }
    for (size_t i = 0; i < BANK_SPACE_COUNT; i++) {
        if (strcmp(command->words[3], bank_space_names[i]) == 0)
            space = i;
    }
    if (hold)
        value = strtod(command->words[5], &end);
    if (space == BANK_SPACE_COUNT || !read_integer(command->words[4], 0, UINT16_MAX, &address) ||
        (hold && (end == command->words[5] || *end != '\0'))) {
        fputs("error: a space, an address and a number are needed\n", command->out);
        return;
    }
    struct bank *bank = &command->unit->bank;
    if (hold ? bank_hold(bank, (enum bank_space)space, (uint16_t)address, value)
             : bank_release(bank, (enum bank_space)space, (uint16_t)address))
        answer_ok(command);
    else
        fprintf(command->out, "error: no register begins at %s %s\n", command->words[3], command->words[4]);
}

static void run_placed(struct command *command)
{
    const char *verb = command->words[0];
    if (!find_place(command))
        return;
    if (strcmp(verb, "fault") == 0)
        run_fault(command);
    else if (strcmp(verb, "set") == 0)
        run_set(command, true);
    else if (strcmp(verb, "release") == 0)
        run_set(command, false);
    else if (command->unit != NULL)
        report_history(command->listener, command->unit, command->out);
    else
        fputs("error: history is of one unit\n", command->out);
}

void command_run(struct plant *plant, char *line, FILE *out)
{
    struct command command = {.plant = plant, .out = out};
    char *rest = NULL;
    for (char *word = strtok_r(line, " \t\r", &rest); word != NULL && command.count < WORDS_MAX;
         word = strtok_r(NULL, " \t\r", &rest))
        command.words[command.count++] = word;
    const char *verb = command.count > 0 ? command.words[0] : "";
    if (strcmp(verb, "fault") == 0 || strcmp(verb, "set") == 0 || strcmp(verb, "release") == 0 ||
        strcmp(verb, "history") == 0) {
        run_placed(&command);
    } else if (strcmp(verb, "clear") == 0) {
        run_clear(&command);
    } else if (strcmp(verb, "stats") == 0) {
        report_stats(plant, out);
    } else if (strcmp(verb, "reset") == 0) {
        report_reset(plant);
        answer_ok(&command);
    } else if (strcmp(verb, "quit") == 0) {
        plant->stop = true;
        answer_ok(&command);
    } else {
        fputs("error: commands are fault clear set release stats history reset quit\n", out);
    }
}
