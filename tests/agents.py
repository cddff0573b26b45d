"""Agents of branches, with visits and skills: people of one branch see nothing of another one."""

from sqlalchemy import not_
from sqlmodel import Field, Relationship, SQLModel, col, select

from hero_admin.model.children import Child
from hero_admin.model.resource import Resource
from hero_admin.person import Person, Role
from hero_admin.rights import Rights

# The branch of everybody but owners, who see all of them.
OWN = 1


class AgentSkill(SQLModel, table=True):
    __tablename__ = "agent_skill"

    agent_id: int = Field(foreign_key="agent.id", primary_key=True, ondelete="CASCADE")
    skill_id: int = Field(foreign_key="skill.id", primary_key=True, ondelete="CASCADE")


class Branch(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80, unique=True)


class Skill(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80)
    is_secret: bool = False
    agents: list["Agent"] = Relationship(
        back_populates="skills",
        link_model=AgentSkill,
        sa_relationship_kwargs={"lazy": "raise"},
    )


class Agent(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(min_length=1, max_length=80)
    branch_id: int = Field(foreign_key="branch.id", index=True, ondelete="CASCADE")
    mentor_id: int | None = Field(
        default=None, foreign_key="agent.id", index=True, ondelete="SET NULL"
    )
    cover: str | None = Field(default=None, max_length=80)
    salary: int | None = None
    grade: int = 1
    skills: list[Skill] = Relationship(
        back_populates="agents",
        link_model=AgentSkill,
        sa_relationship_kwargs={"lazy": "raise"},
    )


class Visit(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    agent_id: int = Field(foreign_key="agent.id", ondelete="CASCADE")
    place: str | None = Field(default=None, max_length=80)
    is_secret: bool = False


TABLE_MODELS: tuple[type[SQLModel], ...] = (Branch, Skill, Agent, AgentSkill, Visit)
TABLES = [each.__table__ for each in TABLE_MODELS]  # type: ignore[attr-defined] # SQLModel does not declare it


def is_owner(person: Person) -> bool:
    return person.role is Role.OWNER


branches = Resource(
    Branch,
    rows=lambda person: None if is_owner(person) else Branch.id == OWN,
    may={"create": Role.OWNER, "change": Role.OWNER, "delete": Role.OWNER},
)
skills = Resource(
    Skill,
    rows=lambda person: None if is_owner(person) else not_(col(Skill.is_secret)),
    columns=(Skill.name, Skill.agents),
    filters=(Skill.agents,),
)
agents = Resource(
    Agent,
    masked=(Agent.cover,),
    children=(Child(Visit.agent_id),),
    rows=lambda person: None if is_owner(person) else Agent.branch_id == OWN,
    rights={
        Agent.salary: Rights(read=Role.OWNER, change=Role.OWNER),
        Agent.grade: Rights(change=Role.OWNER),
    },
    may={"export": Role.EDITOR, "delete": lambda person: person.name != "Vera Viewer"},
)
OF_OWN = select(Agent.id).where(Agent.branch_id == OWN)
visits = Resource(
    Visit,
    rows=lambda person: (
        None if is_owner(person) else col(Visit.agent_id).in_(OF_OWN) & not_(col(Visit.is_secret))
    ),
)
RESOURCES = (agents, branches, skills, visits)
