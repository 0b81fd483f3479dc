#include "../unit.h"

#include <string.h>

#include "base/text.h"
#include "plugin/declared-read.h"

#define DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void patterns_are_well_formed_or_say_why_not(void **state)
{
    (void)state;
    const struct {
        const char *pattern, *digest, *fault;
    } cases[] = {
        {"etcdctl", NULL, NULL},
        {"etcdctl endpoint status **", NULL, NULL},
        {"kubectl get * -o json", NULL, NULL},
        {"powershell.exe -NoProfile -File {script}", DIGEST, NULL},
        {"", NULL, "its first word is not the name of one program"},
        {" etcdctl", NULL, "its words are not separated by single spaces"},
        {"etcdctl  status", NULL, "its words are not separated by single spaces"},
        {"etcdctl ", NULL, "its words are not separated by single spaces"},
        {"* status", NULL, "its first word is not the name of one program"},
        {"/usr/bin/etcdctl status", NULL, "its first word is not the name of one program"},
        {"{script} x", DIGEST, "its first word is not the name of one program"},
        {"etcdctl ** status", NULL, "'**' is not its last word"},
        {"etcdctl --x=* status", NULL, "'*' stands for a whole word only"},
        {"etcdctl ***", NULL, "'*' stands for a whole word only"},
        {"sh {script} {script}", DIGEST, "'{script}' stands in it twice"},
        {"sh {script}", NULL, "it has a '{script}', but no digest of it"},
        {"etcdctl status", DIGEST, "it has the digest of a script, but no '{script}'"},
        {"sh {script}", "E3B0", "the digest of its script is not 64 lower-case hexadecimal digits"},
        {"sh -c *", NULL, "its program runs what it is given: name a '{script}' and its digest"},
        {"python3.11 x.py", NULL,
         "its program runs what it is given: name a '{script}' and its digest"},
        {"powershell.exe -Command **", NULL,
         "its program runs what it is given: name a '{script}' and its digest"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *fault = declared_read_fault(cases[i].pattern, cases[i].digest);
        if (!text_equal(fault, cases[i].fault))
            fail_msg("'%s': %s", cases[i].pattern, fault);
    }
}

static void commands_fit_word_by_word(void **state)
{
    (void)state;
    const struct {
        const char *pattern;
        const char *argv[6];
        const char *script;
        int fits;
    } cases[] = {
        {"etcdctl status", {"etcdctl", "status"}, NULL, 1},
        {"etcdctl status", {"/opt/bin/etcdctl", "status"}, NULL, 1},
        {"etcdctl status", {"etcdctl"}, NULL, 0},
        {"etcdctl status", {"etcdctl", "status", "--force"}, NULL, 0},
        {"etcdctl status", {"etcdctl", "statu"}, NULL, 0},
        {"etcdctl status", {"etcdctl", "status x"}, NULL, 0},
        {"etcdctl status", {"my-etcdctl", "status"}, NULL, 0},
        {"etcdctl * get", {"etcdctl", "any", "get"}, NULL, 1},
        {"etcdctl * get", {"etcdctl", "get"}, NULL, 0},
        {"etcdctl get **", {"etcdctl", "get"}, NULL, 1},
        {"etcdctl get **", {"etcdctl", "get", "a", "b"}, NULL, 1},
        {"etcdctl get **", {"etcdctl", "put", "a", "b"}, NULL, 0},
        {"sh {script} *", {"sh", "/run/s.sh", "a"}, "/run/s.sh", 1},
        {"sh {script} *", {"sh", "/run/other.sh", "a"}, "/run/s.sh", 0},
        {"sh {script} *", {"sh", "{script}", "a"}, NULL, 0},
        {"etcdctl", {NULL}, NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t argc = 0;
        while (argc < 6 && cases[i].argv[argc] != NULL)
            argc++;
        int fits = declared_read_matches(cases[i].pattern, cases[i].argv, argc, cases[i].script);
        if (fits != cases[i].fits)
            fail_msg("case %zu: '%s'", i, cases[i].pattern);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_are_well_formed_or_say_why_not),
        cmocka_unit_test(commands_fit_word_by_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
