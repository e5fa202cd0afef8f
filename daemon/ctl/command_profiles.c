/* riskgatectl profiles: which devices are known, and how they are read. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/text.h"
#include "config/profile.h"
#include "ctl/catalogue.h"
#include "ctl/profile_show.h"
#include "ctl/table.h"

static enum exit_status out_of_memory(void)
{
    (void)fputs("riskgatectl: out of memory\n", stderr);
    return EXIT_FAILED;
}

static enum exit_status print_json(struct jsonw *w)
{
    enum exit_status status = jsonw_error(w) == RG_OK ? EXIT_DONE : out_of_memory();

    if (status == EXIT_DONE)
        (void)puts(w->text);
    return status;
}

/* What `profiles` lists, as it is gathered. */
struct lister {
    struct table table;
    struct jsonw json;
};

static void add_profile(struct lister *lister, const struct profile *profile)
{
    table_row(&lister->table, TABLE_PLAIN);
    table_cell(&lister->table, "%s", profile->name);
    table_cell(&lister->table, "%s", profile->maker);
    table_cell(&lister->table, "%s", profile->device);
    table_cell(&lister->table, "%s", profile->reads);
    jsonw_object_begin(&lister->json);
    profile_write_head(profile, &lister->json);
    jsonw_object_end(&lister->json);
}

/* One profile of the folder; one that is wrong is told, and the others go on. */
static enum exit_status add_file(struct lister *lister, const char *folder, const char *name)
{
    enum exit_status status = EXIT_DONE;
    struct config *config = NULL;
    char path[PATH_MAX];

    if (!text_format(path, sizeof path, "%s/%s.yaml", folder, name) ||
        config_load_profile(path, &config) != RG_OK)
        return out_of_memory();
    if (config->profile) {
        add_profile(lister, config->profile);
    } else {
        config_print(config, stderr);
        status = EXIT_FAILED;
    }
    config_free(config);
    return status;
}

static enum exit_status list_all(const struct arguments *a)
{
    static const char *const titles[] = {"PROFILE", "MAKER", "DEVICE", "READS"};
    enum exit_status status = EXIT_DONE;
    char folder[PATH_MAX];
    struct profile_list list;
    struct lister lister;
    enum rg_err err;

    profile_folder(folder, sizeof folder);
    err = profile_list(folder, &list);
    if (err) {
        (void)fprintf(stderr, "riskgatectl: the profiles in %s: %s\n", folder, rg_err_text(err));
        return EXIT_FAILED;
    }
    table_init(&lister.table, RG_COUNT(titles), titles);
    jsonw_init(&lister.json, 0);
    jsonw_array_begin(&lister.json);
    for (size_t i = 0; i < list.count; i++)
        if (add_file(&lister, folder, list.names[i]) != EXIT_DONE)
            status = EXIT_FAILED;
    jsonw_array_end(&lister.json);
    if (!a->json)
        table_print(&lister.table, stdout);
    else if (print_json(&lister.json) != EXIT_DONE)
        status = EXIT_FAILED;
    table_free(&lister.table);
    jsonw_free(&lister.json);
    profile_list_free(&list);
    return status;
}

static enum exit_status show(const struct config *config, bool json)
{
    enum exit_status status = EXIT_DONE;
    struct jsonw w;

    if (!json) {
        profile_show(config, stdout);
        return EXIT_DONE;
    }
    jsonw_init(&w, 0);
    profile_write_json(config, &w);
    status = print_json(&w);
    jsonw_free(&w);
    return status;
}

/* One by its name, or by the path of its file. */
static enum exit_status show_one(const struct arguments *a)
{
    const char *name = a->operands[0];
    enum exit_status status;
    struct config *config = NULL;
    char folder[PATH_MAX];
    char path[PATH_MAX];
    bool fits;

    profile_folder(folder, sizeof folder);
    fits = strchr(name, '/') ? text_copy(path, sizeof path, name)
                             : text_format(path, sizeof path, "%s/%s.yaml", folder, name);
    if (!fits) {
        (void)fputs("riskgatectl: that name is too long\n", stderr);
        return EXIT_FAILED;
    }
    if (config_load_profile(path, &config) != RG_OK)
        return out_of_memory();
    if (config->profile) {
        status = show(config, a->json);
    } else {
        config_print(config, stderr);
        status = EXIT_FAILED;
    }
    config_free(config);
    return status;
}

static enum exit_status run(const struct arguments *a)
{
    return a->operand_count == 0 ? list_all(a) : show_one(a);
}

static const struct command_option options[] = {
    COMMAND_JSON,
    COMMAND_NO_OPTION,
};

const struct command command_profiles = {
    .name = "profiles",
    .group = GROUP_OFFLINE,
    .synopsis = "[NAME|FILE]",
    .sentence = "the devices whose register maps are known; one of them in full",
    .options = options,
    .most = 1,
    .completes = COMPLETES_PROFILE,
    .run = run,
};
