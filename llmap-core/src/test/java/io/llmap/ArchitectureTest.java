package io.llmap;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.Map;

/**
 * Who may know whom. Scores are handed on as a matrix, so score knows matrix; matrix does not know
 * score, because a matrix may come from anywhere.
 */
@AnalyzeClasses(packages = "io.llmap", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String JACKSON = "com.fasterxml.jackson.core..";

  /** Each package, and all that its classes may use beside themselves and the Java platform. */
  private static final Map<String, List<String>> MAY_USE =
      Map.ofEntries(
          Map.entry("io.llmap", List.of("io.llmap.matrix", "io.llmap.distance", "io.llmap.embed")),
          Map.entry("io.llmap.internal", List.of(JACKSON)),
          Map.entry("io.llmap.text", List.of("io.llmap.internal", JACKSON)),
          Map.entry(
              "io.llmap.score",
              List.of("io.llmap.text", "io.llmap.matrix", "io.llmap.internal", JACKSON)),
          Map.entry(
              "io.llmap.score.spi",
              List.of(
                  "io.llmap.text", "io.llmap.score", "io.llmap.internal", "jdk.incubator.vector")),
          Map.entry(
              "io.llmap.matrix",
              List.of("io.llmap.text", "io.llmap.internal", "net.razorvine.pickle")),
          Map.entry(
              "io.llmap.distance",
              List.of(
                  "io.llmap.text",
                  "io.llmap.score",
                  "io.llmap.matrix",
                  "io.llmap.internal",
                  "jdk.incubator.vector")),
          Map.entry("io.llmap.cluster", List.of("io.llmap.distance", "io.llmap.internal")),
          Map.entry(
              "io.llmap.predict",
              List.of("io.llmap.matrix", "io.llmap.distance", "io.llmap.internal", "org.ejml..")),
          Map.entry(
              "io.llmap.embed",
              List.of(
                  "io.llmap.matrix",
                  "io.llmap.distance",
                  "io.llmap.internal",
                  "org.ejml..",
                  "jdk.incubator.vector")));

  @ArchTest
  static void aPackageUsesOnlyWhatComesBeforeIt(JavaClasses core) {
    assertThat(core.getPackage("io.llmap").getSubpackagesInTree())
        .extracting(JavaPackage::getName)
        .as("a new package needs a line in this test")
        .isSubsetOf(MAY_USE.keySet());
    MAY_USE.forEach(
        (name, others) ->
            classes()
                .that()
                .resideInAPackage(name)
                .should()
                .onlyDependOnClassesThat(
                    resideInAPackage(name)
                        .or(resideInAnyPackage(others.toArray(new String[0])))
                        .or(resideInAnyPackage("java..", "org.jspecify.annotations"))
                        .or(belongToAnyOf(LlmapException.class)))
                .check(core));
  }

  @ArchTest
  static final ArchRule PACKAGES_FORM_NO_CYCLE =
      slices().matching("io.llmap.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule ONLY_VECTOR_CLASSES_NEED_THE_INCUBATOR =
      noClasses()
          .that()
          .haveSimpleNameNotStartingWith("Vector")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("jdk.incubator..");

  @ArchTest
  static final ArchRule CORE_KNOWS_NO_BACKEND_AND_NO_NETWORK =
      noClasses()
          .should()
          .dependOnClassesThat(
              resideInAnyPackage("java.net..", "ai..", "org.nd4j..", "jcuda..")
                  .or(nameMatching("java\\.nio\\.channels\\..*Socket.*")));

  @ArchTest static final ArchRule ONLY_A_PROGRAM_PRINTS = NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;
}
