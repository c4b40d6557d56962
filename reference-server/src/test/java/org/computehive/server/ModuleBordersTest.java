package org.computehive.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Who may know whom, across the modules. */
@AnalyzeClasses(packages = "org.computehive", importOptions = ImportOption.DoNotIncludeTests.class)
class ModuleBordersTest {
    private static final String[] CORE = {
        "org.computehive.rental..",
        "org.computehive.market..",
        "org.computehive.schedule..",
        "org.computehive.access..",
        "org.computehive.audit..",
        "org.computehive.store.."
    };

    @ArchTest
    static final ArchRule core_knowsNoOtherModule = noClasses()
            .that()
            .resideInAnyPackage(CORE)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "org.computehive.vm..",
                    "org.computehive.chain..",
                    "org.computehive.pricing..",
                    "org.computehive.server..");

    @ArchTest
    static final ArchRule vm_knowsOnlyCore = noClasses()
            .that()
            .resideInAPackage("org.computehive.vm..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.computehive.chain..", "org.computehive.pricing..", "org.computehive.server..");

    @ArchTest
    static final ArchRule chain_knowsOnlyCore = noClasses()
            .that()
            .resideInAPackage("org.computehive.chain..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.computehive.vm..", "org.computehive.pricing..", "org.computehive.server..");

    @ArchTest
    static final ArchRule pricing_knowsOnlyCore = noClasses()
            .that()
            .resideInAPackage("org.computehive.pricing..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.computehive.vm..", "org.computehive.chain..", "org.computehive.server..");

    @ArchTest
    static final ArchRule micronaut_isInTheServersApiAndConfigurationAlone = noClasses()
            .that()
            .resideOutsideOfPackages(
                    "org.computehive.server", "org.computehive.server.api..", "org.computehive.server.config..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.micronaut..", "io.swagger..");

    @ArchTest
    static final ArchRule demoPlatformAndBenchmarks_knowNothingOfTheApi = noClasses()
            .that()
            .resideInAnyPackage(
                    "org.computehive.server.demo..",
                    "org.computehive.server.platform..",
                    "org.computehive.server.bench..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.computehive.server.api..", "org.computehive.server.config..");
}
