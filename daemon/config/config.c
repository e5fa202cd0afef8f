#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "config/build.h"
#include "config/issue.h"
#include "config/profile_parts.h"
#include "crypto/digest.h"

#define NEAREST_NAMES 1000000u /* compared with misspelt ones in one load: a second or two at most */

/* All files' bytes, in the order they were read. */
static enum rg_err digest_files(struct load *ld, struct digest *sha)
{
    enum rg_err err = digest_begin(sha);

    for (uint32_t i = 0; i < ld->source_count && err == RG_OK; i++) {
        const struct source *source = &ld->sources[i];

        if (source->bom)
            err = digest_add(sha, "\xef\xbb\xbf", 3);
        if (source->text && err == RG_OK)
            err = digest_add(sha, source->text, source->length);
    }
    return err == RG_OK ? digest_end(sha, ld->config->sha256) : err;
}

static void digest(struct load *ld)
{
    struct digest *sha = NULL;
    enum rg_err err = digest_create(&sha);

    if (err == RG_OK)
        err = digest_files(ld, sha);
    digest_destroy(sha);
    if (err != RG_OK)
        ld->oom = true;
}

static void load_destroy(struct load *ld)
{
    for (uint32_t i = 0; i < ld->source_count; i++)
        free(ld->sources[i].text);
    intern_end(&ld->texts);
    arena_destroy(&ld->scratch);
}

/* Everything after the files' list is begun. Takes whole or not at all. */
static enum rg_err run(struct load *ld, const char *file, struct config **out)
{
    struct config *config = ld->config;
    struct site *site = load_keep(ld, 1, sizeof *site);

    config->file = load_keep_text(ld, file);
    if (!ld->oom && ld->profile_only)
        profile_begin(ld, config->file);
    else if (!ld->oom)
        load_files(ld, config->file);
    if (!ld->oom && (!ld->profile_only || config->error_count == 0))
        build_site(ld, site);
    if (!ld->oom)
        digest(ld);
    if (!ld->oom)
        issue_finish(ld);
    load_destroy(ld);
    if (ld->oom) {
        config_free(config);
        return RG_ENOMEM;
    }
    if (config->error_count == 0)
        config->site = site;
    else
        config->profile = NULL;
    *out = config;
    return RG_OK;
}

static bool begin(struct load *ld)
{
    *ld = (struct load){.nearest_left = NEAREST_NAMES};
    table_index(ld->rows);
    arena_init(&ld->scratch, 0);
    ld->config = calloc(1, sizeof *ld->config);
    if (!ld->config)
        return false;
    arena_init(&ld->config->arena, 0);
    ld->arena = &ld->config->arena;
    ld->sources = load_scratch(ld, CONFIG_FILES, sizeof *ld->sources);
    if (ld->sources)
        return true;
    config_free(ld->config);
    return false;
}

enum rg_err config_load(const char *file, struct config **out)
{
    struct load ld;

    *out = NULL;
    if (!begin(&ld))
        return RG_ENOMEM;
    return run(&ld, file, out);
}

enum rg_err config_load_profile(const char *file, struct config **out)
{
    struct load ld;

    *out = NULL;
    if (!begin(&ld))
        return RG_ENOMEM;
    ld.profile_only = true;
    return run(&ld, file, out);
}

enum rg_err config_load_text(const char *name, const char *text, size_t length, struct config **out)
{
    struct load ld;
    struct source *source;

    *out = NULL;
    if (!begin(&ld))
        return RG_ENOMEM;
    ld.text_only = true;
    source = &ld.sources[0];
    source->parent = UINT32_MAX;
    source->name = load_keep_text(&ld, name);
    source->text = malloc(length + 1);
    if (!source->text) {
        ld.oom = true;
        return run(&ld, name, out);
    }
    memcpy(source->text, text, length);
    source->length = length;
    ld.source_count = 1;
    if (length > CONFIG_FILE_BYTES)
        issue_error(&ld, issue_file(0), "`%s` is larger than %u MiB", shown(name).text,
                    CONFIG_FILE_BYTES >> 20);
    return run(&ld, name, out);
}

void config_free(struct config *config)
{
    if (!config)
        return;
    arena_destroy(&config->arena);
    free(config);
}
