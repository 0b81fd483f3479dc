#include "../unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/target.h"
#include "config/config.h"
#include "shop.h"

#include <salvor/plugin.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char folder[64];
static char *config_flag;

/* Nothing of the machine's own configuration may reach the tests. */
static int begin(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/salvor-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    setenv("XDG_CONFIG_HOME", folder, 1);
    setenv("XDG_STATE_HOME", "/state", 1);
    cleanup_free char *path = text_format("%s/s.yaml", folder);
    static const char text[] = "sites:\n"
                               "  prod:\n"
                               "    provider: shop\n"
                               "    endpoint: https://prod.example\n"
                               "    kubeconfig: kube\n"
                               "    store: far\n"
                               "  lab:\n"
                               "    provider: shop\n"
                               "    endpoin: https://lab.example\n"
                               "  other: {provider: mill}\n"
                               "stores:\n"
                               "  near: {path: /near}\n"
                               "  far: {path: /far}\n"
                               "defaults:\n"
                               "  state-dir: /from/config\n"
                               "  plugin-dirs: [plugins]\n"
                               "  timeout: 3h\n";
    assert_int_equal(file_write_atomic(path, text, sizeof text - 1, 0600, NULL), 0);
    config_flag = text_format("--config=%s", path);
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(config_flag);
    return file_remove_tree(folder, NULL);
}

static int parse(char **argv, struct arguments **ret_arguments, struct error *reterr)
{
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    return arguments_parse(argc, argv, shop_find, ret_arguments, reterr);
}

#define ARGV(...) ((char **)(const char *[]){"salvor", __VA_ARGS__, NULL})

static struct arguments *good(char **argv)
{
    struct arguments *arguments = NULL;
    cleanup_error struct error err = ERROR_INIT;
    if (parse(argv, &arguments, &err) != 0)
        fail_msg("refused: %s (%s)", err.message, err.detail != NULL ? err.detail : "");
    return arguments;
}

static void bad(char **argv, const char *message, const char *detail, const char *hint)
{
    struct arguments *arguments = NULL;
    cleanup_error struct error err = ERROR_INIT;
    if (parse(argv, &arguments, &err) == 0)
        fail_msg("accepted, but wanted: %s", message);
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, EXIT_USAGE);
    if (detail != NULL)
        assert_string_equal(err.detail, detail);
    else if (err.detail != NULL)
        fail_msg("unexpected detail: %s", err.detail);
    if (hint != NULL)
        assert_string_equal(err.hint, hint);
    arguments_free(arguments);
}

static void test_everything_of_a_run(void **state)
{
    (void)state;
    struct arguments *a = good(ARGV(
        "--provider", "shop", "restore", "--from", "latest", "--path=in-place", "--reason",
        "asked by support", "--approve", HASH, "--approve", HASH, "--policy", "p.json", "--yes",
        "--manual", "stop-server", "--waive", "SHOP-OLD", "--reason", "it is all we have",
        "--wait=false", "--timeout", "2h", "--no-post-resync", "--endpoint", "https://x", "--set",
        "token=env:T", "--node", "a", "--node=b", "-n", "ns", "--insecure", "--record", "rec", "-o",
        "json", "--log-format=json", "-vv", "--state-dir", "/st", "--plugin-dir", "/pl"));
    assert_int_equal(a->command->id, COMMAND_RESTORE);
    assert_string_equal(a->provider, "shop");
    assert_null(a->site);
    assert_string_equal(a->plugin->info->name, "shop");
    assert_string_equal(a->from, "latest");
    assert_string_equal(a->path, "in-place");
    assert_string_equal(a->path_reason, "asked by support");
    assert_string_equal(a->approve[1], HASH);
    assert_null(a->approve[2]);
    assert_string_equal(a->policy_file, "p.json");
    assert_true(a->yes);
    assert_false(a->dry_run);
    assert_string_equal(a->manual[0], "stop-server");
    assert_null(a->manual[1]);
    assert_string_equal(a->waivers[0].finding, "SHOP-OLD");
    assert_string_equal(a->waivers[0].reason, "it is all we have");
    assert_null(a->waivers[1].finding);
    assert_int_equal(a->wait, SWITCH_OFF);
    assert_int_equal(a->timeout_ms, 7200000);
    assert_true(a->no_post_resync);
    assert_string_equal(a->record_folder, "rec");
    assert_null(a->replay_folder);
    assert_int_equal(a->output, OUTPUT_JSON);
    assert_true(a->log_json);
    assert_int_equal(a->verbosity, 2);
    assert_string_equal(a->state_folder, "/st");
    assert_string_equal(a->store_folder, "/st/sets");
    assert_string_equal(a->plugin_folders[0], "/pl");
    assert_null(a->plugin_folders[1]);
    assert_int_equal(json_object_size(a->options), 5);
    assert_string_equal(json_text(a->options, "endpoint"), "https://x");
    assert_string_equal(json_text(a->options, "token"), "env:T");
    assert_string_equal(json_text(a->options, "namespace"), "ns");
    assert_string_equal(json_text(a->options, "insecure"), "true");
    assert_int_equal(json_array_size(json_object_get(a->options, "node")), 2);
    assert_string_equal(json_text(a->origins, "endpoint"), "--endpoint");
    assert_string_equal(json_text(a->origins, "token"), "--set token");
    assert_string_equal(json_text(a->origins, "namespace"), "-n");
    arguments_free(a);
}

static void test_defaults(void **state)
{
    (void)state;
    struct arguments *a = good(ARGV("discover", "--provider", "shop"));
    assert_int_equal(a->output, OUTPUT_TABLE);
    assert_int_equal(a->wait, SWITCH_UNSET);
    assert_int_equal(a->timeout_ms, 0);
    assert_int_equal(a->verbosity, 0);
    assert_string_equal(a->state_folder, "/state/salvor");
    assert_string_equal(a->store_folder, "/state/salvor/sets");
    assert_null(a->plugin_folders[0]);
    assert_null(a->approve[0]);
    assert_null(a->manual[0]);
    assert_null(a->waivers[0].finding);
    assert_null(a->settlements[0].step);
    assert_null(a->operands[0]);
    assert_null(a->config_file);
    assert_null(config_path(a->config));
    arguments_free(a);
    a = good(ARGV("report", "20260101-000000-restore-abcd"));
    assert_int_equal(a->output, OUTPUT_TEXT);
    assert_int_equal(a->operand_count, 1);
    arguments_free(a);
    a = good(ARGV("-q", "runs"));
    assert_int_equal(a->verbosity, -1);
    assert_string_equal(a->action, "list");
    arguments_free(a);
}

static void test_provider_before_and_after(void **state)
{
    (void)state;
    arguments_free(good(ARGV("--provider", "shop", "discover", "--provider=shop")));
    bad(ARGV("--provider", "shop", "discover", "--provider", "mill"),
        "flag '--provider' is given twice, as 'shop' and as 'mill'", NULL, NULL);
    bad(ARGV("--provider", "mill", "discover"), "there is no plugin 'mill'", NULL, NULL);
}

static void test_sites(void **state)
{
    (void)state;
    struct arguments *a = good(ARGV("discover", config_flag, "--site", "prod"));
    assert_string_equal(a->site, "prod");
    assert_string_equal(a->provider, "shop");
    assert_string_equal(a->state_folder, "/from/config");
    assert_string_equal(a->store_folder, "/far");
    assert_int_equal(a->timeout_ms, 10800000);
    cleanup_free char *plugins = text_format("%s/plugins", folder);
    assert_string_equal(a->plugin_folders[0], plugins);
    arguments_free(a);

    a = good(ARGV("discover", config_flag, "--site", "prod", "--store", "near", "--state-dir",
                  "/here", "--timeout", "5s"));
    assert_string_equal(a->store_folder, "/near");
    assert_string_equal(a->state_folder, "/here");
    assert_int_equal(a->timeout_ms, 5000);
    arguments_free(a);

    /* a provider without a site takes nothing of a site */
    a = good(ARGV("discover", config_flag, "--provider", "shop"));
    assert_null(a->site);
    assert_string_equal(a->store_folder, "/from/config/sets");
    arguments_free(a);
}

static void expect_start(char **argv, const char *start, const char *hint)
{
    struct arguments *arguments = NULL;
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(parse(argv, &arguments, &err), -1);
    if (!text_starts(err.message, start))
        fail_msg("'%s' does not begin with '%s'", err.message, start);
    if (hint != NULL)
        assert_string_equal(err.hint, hint);
    arguments_free(arguments);
}

static void test_bad_sites(void **state)
{
    (void)state;
    expect_start(ARGV("discover", config_flag, "--site", "prd"), "there is no site 'prd' in '",
                 "did you mean 'prod'?");
    expect_start(ARGV("discover", config_flag, "--site", "somewhere"),
                 "there is no site 'somewhere' in '", "there are: prod, lab, other");
    expect_start(ARGV("discover", config_flag, "--site", "prod", "--store", "nowhere"),
                 "there is no store 'nowhere' in '", "there are: near, far");
    expect_start(ARGV("discover", config_flag), "'discover' needs a site: '",
                 "give --site NAME, one of: prod, lab, other");
    bad(ARGV("discover", config_flag, "--site", "prod", "--provider", "mill"),
        "site 'prod' is of provider 'shop', not 'mill'", NULL, "leave --provider out");
    bad(ARGV("discover", "--site", "prod"),
        "there is no site 'prod': there is no configuration file", NULL,
        "give --config FILE, or write /etc/salvor/salvor.yaml");
    bad(ARGV("discover"), "'discover' needs a provider", NULL,
        "give --provider NAME; `salvor plugin list` lists them");
}

static void test_site_options(void **state)
{
    (void)state;
    struct arguments *a = good(ARGV("discover", config_flag, "--site=prod", "--context", "c"));
    struct site *site = NULL;
    assert_int_equal(target_site(a, a->plugin->info, a->site, SALVOR_ON_DISCOVER, &site, NULL), 0);
    assert_string_equal(site->name, "prod");
    assert_string_equal(json_text(site->options, "endpoint"), "https://prod.example");
    assert_string_equal(json_text(site->options, "context"), "c");
    cleanup_free char *kubeconfig = text_format("%s/kube", folder);
    assert_string_equal(json_text(site->options, "kubeconfig"), kubeconfig);
    site_free(site);
    arguments_free(a);

    /* the line wins over the file */
    a = good(ARGV("discover", config_flag, "--site=prod", "--endpoint=https://line"));
    assert_int_equal(target_site(a, a->plugin->info, a->site, SALVOR_ON_DISCOVER, &site, NULL), 0);
    assert_string_equal(json_text(site->options, "endpoint"), "https://line");
    site_free(site);
    arguments_free(a);

    a = good(ARGV("discover", config_flag, "--site=lab"));
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(target_site(a, a->plugin->info, a->site, SALVOR_ON_DISCOVER, &site, &err), -1);
    cleanup_free char *wanted =
        text_format("%s/s.yaml:9:5: unknown option 'endpoin' for provider 'shop'", folder);
    assert_string_equal(err.message, wanted);
    arguments_free(a);

    a = good(ARGV("discover", config_flag, "--provider=shop"));
    assert_int_equal(target_site(a, a->plugin->info, a->site, SALVOR_ON_DISCOVER, &site, &err), -1);
    assert_string_equal(err.message, "site 'default' of provider 'shop' lacks 'endpoint'");
    assert_non_null(strstr(err.hint, "has site 'prod' of this provider: --site prod"));
    assert_int_equal(target_site(a, a->plugin->info, NULL, 0, &site, &err), 0);
    site_free(site);
    assert_int_equal(target_site(a, a->plugin->info, "gone", 0, &site, &err), -1);
    assert_int_equal(target_site(a, a->plugin->info, "other", 0, &site, &err), -1);
    assert_string_equal(err.message, "site 'other' is of provider 'mill', not 'shop'");
    arguments_free(a);
}

static void test_unknown_flags(void **state)
{
    (void)state;
    bad(ARGV("--provider", "shop", "restore", "--kubeconifg", "/x"),
        "unknown flag '--kubeconifg' for 'restore' with provider 'shop'", NULL,
        "did you mean '--kubeconfig'?");
    bad(ARGV("--provider", "shop", "restore", "--kubeconifg=/x"),
        "unknown flag '--kubeconifg' for 'restore' with provider 'shop'", NULL,
        "did you mean '--kubeconfig'?");
    bad(ARGV("--provider", "shop", "restore", "--dryrun"),
        "unknown flag '--dryrun' for 'restore' with provider 'shop'", NULL,
        "did you mean '--dry-run'?");
    bad(ARGV("--provider", "shop", "restore", "--colour=red"),
        "unknown flag '--colour' for 'restore' with provider 'shop'", NULL,
        "`salvor help restore` lists the flags");
    bad(ARGV("--porvider", "shop", "restore"), "unknown flag '--porvider'", NULL,
        "did you mean '--provider'?");
    bad(ARGV("--kubeconfig", "x", "restore"), "unknown flag '--kubeconfig'", NULL,
        "options of a provider stand behind the command");
    bad(ARGV("runs", "--frm=x"), "unknown flag '--frm' for 'runs'", NULL,
        "`salvor help runs` lists the flags");
    bad(ARGV("resume", "R", "--endpoint=x"), "unknown flag '--endpoint' for 'resume'", NULL,
        "give options of the provider with --set KEY=VALUE");
    bad(ARGV("--provider=shop", "discover", "-z"),
        "unknown flag '-z' for 'discover' with provider 'shop'", NULL, NULL);
    /* without a provider an unknown flag may be one of its options, unless it is a mere slip */
    bad(ARGV("restore", "--endpoint=x"), "'restore' needs a provider", NULL, NULL);
    bad(ARGV("restore", "--dryrun"), "unknown flag '--dryrun' for 'restore'",
        "'restore' needs a provider", NULL);
}

static void test_flags_of_other_commands(void **state)
{
    (void)state;
    bad(ARGV("--provider=shop", "restore", "--settle", "a=done"),
        "flag '--settle' does not belong to 'restore'", NULL, "it belongs to: resume");
    bad(ARGV("--provider=shop", "discover", "--workers", "3"),
        "flag '--workers' of provider 'shop' does not belong to 'discover'", NULL,
        "it can be given here as --set workers=VALUE");
    struct arguments *a = good(ARGV("--provider=shop", "discover", "--set", "workers=3"));
    assert_string_equal(json_text(a->options, "workers"), "3");
    arguments_free(a);
    bad(ARGV("--provider=shop", "--endpoint=x", "discover"), "unknown flag '--endpoint'", NULL,
        "options of a provider stand behind the command");
}

static void test_set(void **state)
{
    (void)state;
    bad(ARGV("--provider=shop", "discover", "--set", "endpoint"), "--set 'endpoint' sets nothing",
        NULL, "write --set KEY=VALUE");
    bad(ARGV("--provider=shop", "discover", "--set", "=x"), "--set '=x' sets nothing", NULL, NULL);
    bad(ARGV("--provider=shop", "discover", "--set", "endpont=x"),
        "--set: unknown option 'endpont' for provider 'shop'", NULL, "did you mean 'endpoint'?");
    bad(ARGV("--provider=shop", "discover", "--set", "context=a", "--context=b"),
        "option 'context' is given twice, as 'a' and as 'b'", NULL, NULL);
    bad(ARGV("--provider=shop", "discover", "--set", "password=aaaa", "--password=bbbb"),
        "option 'password' is given twice, as '***' and as '***'", NULL, NULL);
    struct arguments *a = good(ARGV("--provider=shop", "discover", "--set", "context=a=b",
                                    "--set=context=a=b", "--set=node=x", "--set", "node=y"));
    assert_string_equal(json_text(a->options, "context"), "a=b");
    assert_int_equal(json_array_size(json_object_get(a->options, "node")), 2);
    arguments_free(a);
    /* who resumes does not name the provider again */
    a = good(ARGV("resume", "R", "--set=a=1", "--set=a=2", "--set=b=1"));
    assert_int_equal(json_array_size(json_object_get(a->options, "a")), 2);
    assert_string_equal(json_text(a->options, "b"), "1");
    arguments_free(a);
    bad(ARGV("--provider=shop", "discover", "--set=context=\xff"),
        "--set context: the value is not UTF-8 text", NULL, NULL);
}

static void test_operands(void **state)
{
    (void)state;
    bad(ARGV("resume"), "'RUN' is missing", NULL, "usage: salvor resume RUN");
    bad(ARGV("resume", "a", "b"), "unexpected argument 'b'", NULL, "usage: salvor resume RUN");
    bad(ARGV("--provider=shop", "discover", "x"), "unexpected argument 'x'", NULL,
        "usage: salvor discover");
    bad(ARGV("plugin"), "'plugin' needs to be told what to do", NULL,
        "`salvor help plugin` lists what it can do");
    bad(ARGV("plugin", "shw"), "'plugin' cannot 'shw'", NULL, "did you mean 'plugin show'?");
    bad(ARGV("plugin", "show"), "'NAME' is missing", NULL, "usage: salvor plugin show NAME");
    bad(ARGV("plugin", "list", "x"), "unexpected argument 'x'", NULL, "usage: salvor plugin list");
    bad(ARGV("restroe"), "unknown command 'restroe'", NULL, NULL);
    bad((char **)(const char *[]){"salvor", NULL}, "no command is given", NULL,
        "`salvor help` lists the commands");
    struct arguments *a = good(ARGV("plugin", "show", "--", "--x"));
    assert_string_equal(a->action, "show");
    assert_string_equal(a->operands[0], "--x");
    arguments_free(a);
}

static void test_validate_takes_its_source_either_way(void **state)
{
    (void)state;
    struct arguments *a = good(ARGV("--provider=shop", "validate", "x.tgz"));
    assert_string_equal(a->from, "x.tgz");
    arguments_free(a);
    a = good(ARGV("--provider=shop", "validate", "--from", "x.tgz"));
    assert_string_equal(a->from, "x.tgz");
    arguments_free(a);
    bad(ARGV("--provider=shop", "validate", "x.tgz", "--from=y.tgz"),
        "two backups to validate: 'x.tgz' and --from 'y.tgz'", NULL, "give one of them");
}

static void test_bad_values(void **state)
{
    (void)state;
    bad(ARGV("--provider=shop", "restore", "--timeout", "10"),
        "flag '--timeout': '10' is not a duration", NULL,
        "write a number with its unit: 90s, 10m, 2h");
    bad(ARGV("--provider=shop", "restore", "--timeout=0s"),
        "flag '--timeout': '0s' is not a duration", NULL, NULL);
    bad(ARGV("--provider=shop", "restore", "--approve", "abc"),
        "'abc' is not a plan hash: 64 lower-case hexadecimal digits", NULL,
        "`salvor plan` prints it");
    bad(ARGV("--provider=shop", "restore", "--approve=" HASH "0"),
        "'" HASH "0' is not a plan hash: 64 lower-case hexadecimal digits", NULL, NULL);
    bad(ARGV("--provider=shop", "restore", "-o", "xml"), "unknown output format 'xml'", NULL,
        "'restore' has: table wide json yaml name");
    bad(ARGV("report", "R", "-o", "table"), "unknown output format 'table'", NULL,
        "'report' has: text json md html");
    bad(ARGV("runs", "--log-format=xml"), "unknown log format 'xml'", NULL,
        "there are text and json");
    bad(ARGV("--provider=shop", "restore", "--from"), "flag '--from' needs a value", NULL,
        "write --from=SOURCE");
    bad(ARGV("--provider=shop", "restore", "--from="), "flag '--from' has an empty value", NULL,
        NULL);
    bad(ARGV("--provider=shop", "restore", "--yes=1"),
        "flag '--yes' is a switch and takes no value '1'", NULL, NULL);
    bad(ARGV("--provider"), "flag '--provider' needs a value", NULL, "write --provider=NAME");
    bad(ARGV("-q", "-v", "runs"), "flags '--quiet' and '--verbose' exclude each other", NULL, NULL);
    bad(ARGV("--provider=shop", "restore", "--record=a", "--replay=b"),
        "flags '--record' and '--replay' exclude each other", NULL, NULL);
    bad(ARGV("--provider=shop", "restore", "--endpoint"), "flag '--endpoint' needs a value", NULL,
        "write --endpoint=URL");
}

static void test_waivers_and_reasons(void **state)
{
    (void)state;
    bad(ARGV("--provider=shop", "plan", "--waive", "SHOP-OLD"),
        "flag '--waive SHOP-OLD' has no reason", NULL,
        "add --reason TEXT behind it; the report will show it");
    bad(ARGV("--provider=shop", "plan", "--reason", "x"),
        "flag '--reason' does not follow a --waive, --settle or --path", NULL, NULL);
    bad(ARGV("--provider=shop", "plan", "--waive=A", "--reason=x", "--reason=y"),
        "flag '--reason' does not follow a --waive, --settle or --path", NULL, NULL);
    bad(ARGV("--provider=shop", "plan", "--waive=A", "--waive=B", "--reason=x"),
        "flag '--waive A' has no reason", NULL, NULL);
    bad(ARGV("--provider=shop", "plan", "--waive=A", "--reason= "),
        "flag '--reason' has an empty value", "flag '--waive A' has no reason", NULL);
    struct arguments *a = good(ARGV("--provider=shop", "plan", "--waive=A", "--reason=x",
                                    "--waive=B", "-v", "--reason=y"));
    assert_string_equal(a->waivers[0].reason, "x");
    assert_string_equal(a->waivers[1].finding, "B");
    assert_string_equal(a->waivers[1].reason, "y");
    assert_null(a->waivers[2].finding);
    arguments_free(a);
}

static void test_settling(void **state)
{
    (void)state;
    struct arguments *a = good(ARGV("resume", "R", "--settle", "all/1=done", "--reason", "seen",
                                    "--settle=all/2=not-done"));
    assert_string_equal(a->settlements[0].step, "all/1");
    assert_true(a->settlements[0].done);
    assert_string_equal(a->settlements[0].reason, "seen");
    assert_string_equal(a->settlements[1].step, "all/2");
    assert_false(a->settlements[1].done);
    assert_null(a->settlements[1].reason);
    assert_null(a->settlements[2].step);
    arguments_free(a);
    const char *hint = "write --settle STEP=done or --settle STEP=not-done";
    bad(ARGV("resume", "R", "--settle", "all/1"), "'all/1' does not say how step and outcome", NULL,
        hint);
    bad(ARGV("resume", "R", "--settle", "all/1=maybe"),
        "'all/1=maybe' does not say how step and outcome", NULL, hint);
    bad(ARGV("resume", "R", "--settle", "=done"), "'=done' does not say how step and outcome", NULL,
        hint);
}

static void test_many_mistakes_are_one_error(void **state)
{
    (void)state;
    bad(ARGV("--provider=shop", "restore", "--dryrun", "--timeout=x", "--from", "--workrs=1"),
        "unknown flag '--dryrun' for 'restore' with provider 'shop'",
        "flag '--timeout': 'x' is not a duration\nflag '--from' needs a value\n"
        "unknown flag '--workrs' for 'restore' with provider 'shop'",
        "did you mean '--dry-run'?\nwrite a number with its unit: 90s, 10m, 2h\n"
        "write --from=SOURCE\ndid you mean '--workers'?");
}

static void test_help_and_version(void **state)
{
    (void)state;
    struct arguments *a = good(ARGV("--version"));
    assert_int_equal(a->show, SHOW_VERSION);
    arguments_free(a);
    a = good(ARGV("-h"));
    assert_int_equal(a->show, SHOW_HELP);
    assert_null(a->command);
    arguments_free(a);
    a = good(ARGV("restore", "--help"));
    assert_int_equal(a->show, SHOW_HELP);
    assert_int_equal(a->command->id, COMMAND_RESTORE);
    assert_null(a->plugin);
    arguments_free(a);
    a = good(ARGV("--provider=shop", "restore", "--help", "--nonsense"));
    assert_string_equal(a->plugin->info->name, "shop");
    arguments_free(a);
    a = good(ARGV("help", "restore", "--provider=shop"));
    assert_string_equal(a->plugin->info->name, "shop");
    assert_string_equal(a->operands[0], "restore");
    arguments_free(a);
}

static void test_log_format_is_known_even_when_the_line_is_wrong(void **state)
{
    (void)state;
    struct arguments *arguments = NULL;
    cleanup_error struct error err = ERROR_INIT;
    assert_int_equal(parse(ARGV("restroe", "--log-format=json"), &arguments, &err), -1);
    arguments_free(arguments);
    assert_int_equal(parse(ARGV("--log-format=json", "runs", "--nonsense"), &arguments, &err), -1);
    assert_true(arguments->log_json);
    arguments_free(arguments);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_of_a_run),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_provider_before_and_after),
        cmocka_unit_test(test_sites),
        cmocka_unit_test(test_bad_sites),
        cmocka_unit_test(test_site_options),
        cmocka_unit_test(test_unknown_flags),
        cmocka_unit_test(test_flags_of_other_commands),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_operands),
        cmocka_unit_test(test_validate_takes_its_source_either_way),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_waivers_and_reasons),
        cmocka_unit_test(test_settling),
        cmocka_unit_test(test_many_mistakes_are_one_error),
        cmocka_unit_test(test_help_and_version),
        cmocka_unit_test(test_log_format_is_known_even_when_the_line_is_wrong),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
