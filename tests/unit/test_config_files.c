/* LINK rg_config rg_test_support */
/* Several files: includes, what they share, what cannot be read, and the printed form of it all. */
#include "config_rows.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support_tmp.h"

static char folder[SUPPORT_TMP_SIZE];
static char path_of[SUPPORT_TMP_SIZE + 64];

static const char *path(const char *name)
{
    assert_true((size_t)snprintf(path_of, sizeof path_of, "%s/%s", folder, name) < sizeof path_of);
    return path_of;
}

static void put_bytes(const char *name, const char *bytes, size_t length)
{
    FILE *f = fopen(path(name), "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
}

static void put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

/* Loads a file of the folder; its issues, the folder's name cut out, must be those wanted. */
static struct config *load(const char *name, const char *wanted)
{
    struct config *config;
    char found[8192] = "";
    size_t used = 0;

    assert_int_equal(config_load(path(name), &config), RG_OK);
    for (size_t i = 0; i < config->issue_count; i++) {
        const struct config_issue *issue = &config->issues[i];
        char line[2048];
        char *cut;

        (void)snprintf(line, sizeof line, "%s:%u: %s: %s\n", issue->file, issue->line,
                       issue->severity == CONFIG_ERROR ? "error" : "warning", issue->text);
        while ((cut = strstr(line, folder)) != NULL)
            memmove(cut, cut + strlen(folder) + 1, strlen(cut + strlen(folder) + 1) + 1);
        used += (size_t)snprintf(found + used, sizeof found - used, "%s", line);
        assert_true(used < sizeof found);
    }
    assert_string_equal(found, wanted);
    return config;
}

static void expect(const char *name, const char *wanted)
{
    config_free(load(name, wanted));
}

static int set_up(void **state)
{
    (void)state;
    return support_tmp_dir(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return support_tmp_remove(folder) ? 0 : -1;
}

#define NOBODY "main.yaml:0: warning: no uplink is configured: nobody is told\n"
#define DEVICES                                                                                              \
    "devices: [{name: d, bus: b, unit: 1, points: [{name: p, coil: 0}]}]\nrules: [{name: r, points: d.p, "   \
    "is: {true: red}}]\n"
#define UPLINKS "uplinks: [{name: u, url: mqtt://localhost}]\n"

static void test_split(void **state)
{
    struct config *config;

    (void)state;
    assert_int_equal(mkdir(path("parts"), 0700), 0);
    assert_int_equal(mkdir(path("parts/deep"), 0700), 0);
    put("main.yaml",
        GATEWAY UPLINKS "include: [parts/*.yaml, './bus.yaml']\nstore: {path: a.db}\ncontrol: {socket: s}\n");
    put("bus.yaml", BUS);
    put("parts/2.yaml", DEVICES "include: deep/more.yaml\n");
    put("parts/1.yaml", "areas: [{name: hall}]\nbuses: [{name: c, tcp: 'h:1'}]\nlog:\n");
    put("parts/.hidden.yaml", "nonsense: 1\n");
    put("parts/3.yml", "nonsense: 1\n");
    put("parts/deep/more.yaml", "areas: [{name: plant}]\n# nothing else\n");
    config = load("main.yaml", "");
    assert_int_equal(config->site->bus_count, 2);
    assert_int_equal(config->site->area_count, 2);
    assert_string_equal(config->site->areas[0].name, "hall");
    assert_int_equal(strlen(config->sha256), 64);
    assert_string_equal(config->site->store.path, path("a.db"));
    assert_string_equal(config->site->control_socket, path("s"));
    assert_non_null(strstr(config->site->areas[1].where, "parts/deep/more.yaml:1"));
    config_free(config);
}

static void test_refused_includes(void **state)
{
    (void)state;
    put("main.yaml", GATEWAY UPLINKS BUS DEVICES
        "include:\n  - gone.yaml\n  - none*.yaml\n  - '*/x.yaml'\n  - [a]\n  - ''\n");
    expect("main.yaml",
           "main.yaml:7: error: cannot open `gone.yaml`: No such file or directory\n"
           "main.yaml:8: warning: `include`: `none*.yaml` matches no file\n"
           "main.yaml:9: error: `include`: only the last part of a path may hold * or ?\n"
           "main.yaml:10: error: an entry of `include` must be the path of a file, not a list\n"
           "main.yaml:11: error: an entry of `include` must be the path of a file, not a text\n");
    /* What is missing may be where a name is defined: no further complaint about names. */
    put("main.yaml", GATEWAY UPLINKS "include: gone.yaml\n" DEVICES);
    expect("main.yaml", "main.yaml:3: error: cannot open `gone.yaml`: No such file or directory\n");
    expect("nowhere.yaml", "nowhere.yaml:0: error: cannot open `nowhere.yaml`: No such file or directory\n");
}

static void test_cycles(void **state)
{
    (void)state;
    put("main.yaml", GATEWAY UPLINKS BUS DEVICES "include: [a.yaml]\n");
    put("a.yaml", "include: [b.yaml]\n");
    put("b.yaml", "log: {}\ninclude: [./a.yaml, main.yaml]\n");
    expect("main.yaml", "b.yaml:2: error: `./a.yaml` includes itself, directly or through others\n"
                        "b.yaml:2: error: `main.yaml` includes itself, directly or through others\n");
    put("b.yaml", "log: {}\n");
    put("main.yaml", GATEWAY UPLINKS BUS DEVICES "include: [a.yaml, b.yaml]\n");
    expect("main.yaml", "a.yaml:1: error: `b.yaml` is included already, first at main.yaml:6\n");
    put("main.yaml", GATEWAY UPLINKS BUS DEVICES "include: ['*.yaml']\n");
    put("a.yaml", "log: {}\n");
    assert_int_equal(unlink(path("b.yaml")), 0);
    expect("main.yaml", "main.yaml:6: error: `main.yaml` includes itself, directly or through others\n");
    /* Under another name it is the same file. */
    assert_int_equal(symlink("a.yaml", path("c.yaml")), 0);
    put("main.yaml", GATEWAY UPLINKS BUS DEVICES "include: [a.yaml, c.yaml]\n");
    expect("main.yaml", "main.yaml:6: error: `c.yaml` is included already, first at main.yaml:6\n");
}

static void test_shared_names(void **state)
{
    (void)state;
    put("main.yaml", GATEWAY UPLINKS BUS DEVICES "store: {}\ninclude: more.yaml\n");
    put("more.yaml", "log: {}\nstore: {path: x}\n" BUS DEVICES);
    expect("main.yaml", "more.yaml:2: error: `store` is given already, first at main.yaml:6\n"
                        "more.yaml:3: warning: the bus `b` (main.yaml:3) connects to 127.0.0.1 port 502 too: "
                        "many devices serve one connection only\n"
                        "more.yaml:3: error: the bus `b` is defined already, first at main.yaml:3\n"
                        "more.yaml:4: error: the device `d` is defined already, first at main.yaml:4\n"
                        "more.yaml:4: error: the point `d.p` is defined already, first at main.yaml:4\n"
                        "more.yaml:5: error: the rule `r` is defined already, first at main.yaml:5\n");
}

static void test_every_file(void **state)
{
    (void)state;
    put("main.yaml", GATEWAY UPLINKS BUS DEVICES "include: [one.yaml, two.yaml]\nlogg: 1\n");
    put("one.yaml", "a: [\n");
    put("two.yaml", "log: {level: x}\n");
    expect("main.yaml", "main.yaml:7: error: unknown key `logg` in the top level; did you mean `log`?\n"
                        "one.yaml:1: error: not valid YAML: flow sequence without a closing bracket\n"
                        "two.yaml:1: error: `level` must be one of error, warning, info, debug, not `x`\n");
}

static void test_no_file(void **state)
{
    (void)state;
    put("main.yaml", GATEWAY UPLINKS BUS DEVICES "include: [sub, pipe]\n");
    assert_int_equal(mkdir(path("sub"), 0700), 0);
    assert_int_equal(mkfifo(path("pipe"), 0600), 0);
    expect("main.yaml", "main.yaml:6: error: `sub` is not a regular file\nmain.yaml:6: error: `pipe` is not "
                        "a regular file\n");
}

/* A byte order mark and foreign line ends are harmless; the places stay right. */
static void test_line_ends(void **state)
{
    static const char text[] = "\xef\xbb\xbf# c\r\ngateway:\r\n  id: gw\r\n  enterprise: {code: "
                               "91350100M000100Y43, name: x}\r\nlogg: 1\r\n";
    struct config *config;

    (void)state;
    put("main.yaml", text);
    config =
        load("main.yaml", "main.yaml:5: error: unknown key `logg` in the top level; did you mean `log`?\n");
    assert_string_equal(config->issues[0].source, "logg: 1");
    assert_int_equal(config->issues[0].column, 1);
    config_free(config);
}

static void test_digest(void **state)
{
    struct config *config;

    (void)state;
    /* sha256sum of the three bytes "abc" (FIPS 180-2, B.1). */
    put("main.yaml", "abc");
    config = load("main.yaml", "main.yaml:0: error: `gateway` is missing: who this gateway is\n"
                               "main.yaml:1: error: a configuration is a mapping of sections, not a text\n");
    assert_string_equal(config->sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    config_free(config);
}

static void test_warnings_only(void **state)
{
    struct config *config;

    (void)state;
    put("main.yaml", GATEWAY "uplinks:\n");
    config = load("main.yaml",
                  "main.yaml:0: warning: no point of any device is configured: nothing is watched\n" NOBODY);
    assert_non_null(config->site);
    assert_int_equal(config->warning_count, 2);
    config_free(config);
}

static void test_counted(void **state)
{
    char *text = calloc(301, 16);
    struct config *config;

    (void)state;
    assert_non_null(text);
    for (unsigned i = 0; i < 300; i++)
        (void)snprintf(text + strlen(text), 16, "k%u: 1\n", i);
    assert_int_equal(config_load_text("c", text, strlen(text), &config), RG_OK);
    assert_int_equal(config->issue_count, CONFIG_ERRORS);
    assert_int_equal(config->error_count, 301); /* and no gateway */
    config_free(config);
    free(text);
}

static void test_print(void **state)
{
    static const char text[] = GATEWAY "areas:\n  - {label: 抛光车间, parnt: x, name: a}\nlog:\n\t\n";
    struct config *config;
    char *out = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&out, &size);

    (void)state;
    assert_non_null(f);
    assert_int_equal(config_load_text("c.yaml", text, strlen(text), &config), RG_OK);
    config_print(config, f);
    assert_int_equal(fclose(f), 0);
    /* The caret stands under the key on a terminal, where each of the four characters takes two cells. */
    assert_string_equal(out, "c.yaml:3:19: error: unknown key `parnt` in an area; did you mean `parent`?\n"
                             "      - {label: 抛光车间, parnt: x, name: a}\n"
                             "                          ^\n");
    free(out);
    config_free(config);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        EACH(test_split),
        EACH(test_refused_includes),
        EACH(test_cycles),
        EACH(test_shared_names),
        EACH(test_every_file),
        EACH(test_no_file),
        EACH(test_line_ends),
        EACH(test_digest),
        EACH(test_warnings_only),
        cmocka_unit_test(test_counted),
        cmocka_unit_test(test_print),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
