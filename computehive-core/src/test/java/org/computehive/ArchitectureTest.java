package org.computehive;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The borders inside core. Those between modules are held in the reference server, which sees them all. */
@AnalyzeClasses(packages = "org.computehive", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule schedule_standsAlone = classes()
            .that()
            .resideInAPackage("..schedule..")
            .should()
            .onlyDependOnClassesThat()
            .resideOutsideOfPackages(
                    "org.computehive.rental..",
                    "org.computehive.market..",
                    "org.computehive.access..",
                    "org.computehive.audit..",
                    "org.computehive.store..");

    @ArchTest
    static final ArchRule access_standsAlone = classes()
            .that()
            .resideInAPackage("..access..")
            .should()
            .onlyDependOnClassesThat()
            .resideOutsideOfPackages(
                    "org.computehive.rental..",
                    "org.computehive.market..",
                    "org.computehive.schedule..",
                    "org.computehive.audit..",
                    "org.computehive.store..");

    @ArchTest
    static final ArchRule audit_standsAlone = classes()
            .that()
            .resideInAPackage("..audit..")
            .should()
            .onlyDependOnClassesThat()
            .resideOutsideOfPackages(
                    "org.computehive.rental..",
                    "org.computehive.market..",
                    "org.computehive.schedule..",
                    "org.computehive.access..",
                    "org.computehive.store..");

    @ArchTest
    static final ArchRule market_knowsOnlyWindows = noClasses()
            .that()
            .resideInAPackage("..market..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "org.computehive.rental..",
                    "org.computehive.access..",
                    "org.computehive.audit..",
                    "org.computehive.store..");

    @ArchTest
    static final ArchRule rental_doesNotKnowItsStores = noClasses()
            .that()
            .resideInAPackage("..rental..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("..store..");

    @ArchTest
    static final ArchRule packages_haveNoCycle =
            slices().matching("org.computehive.(**)").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule databases_areTouchedByStoreAlone = noClasses()
            .that()
            .resideOutsideOfPackage("..store..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "java.sql..", "javax.sql..", "com.github.kagkarlsson..", "org.flywaydb..", "com.zaxxer..");

    @ArchTest
    static final ArchRule ssh_isTouchedByAccessAlone = noClasses()
            .that()
            .resideOutsideOfPackage("..access..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.apache.sshd..");

    @ArchTest
    static final ArchRule core_startsNoProcess = noClasses()
            .should()
            .dependOnClassesThat()
            .areAssignableTo(ProcessBuilder.class)
            .orShould()
            .callMethod(Runtime.class, "exec", String[].class);

    @ArchTest
    static final ArchRule core_knowsNoServerChainOrHypervisor = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.micronaut..",
                    "org.web3j..",
                    "okhttp3..",
                    "org.libvirt..",
                    "com.sun.jna..",
                    "org.tribuo..",
                    "org.computehive.vm..",
                    "org.computehive.chain..",
                    "org.computehive.pricing..",
                    "org.computehive.server..");

    /** Prices are suggested; what a command does, a person said. */
    @ArchTest
    static final ArchRule suggestions_areKnownToNoCommand = noClasses()
            .that()
            .haveNameNotMatching(".*\\.(RentalEngine|Pricing|PriceAdvisor|PriceSuggestion|GivenAdvice)(\\$.*)?")
            .and()
            .resideInAnyPackage("org.computehive.rental..", "org.computehive.market..", "org.computehive.store..")
            .should()
            .dependOnClassesThat()
            .haveNameMatching(".*\\.PriceSuggestion(\\$.*)?");
}
